package integration

// printTimeGeniusPlugin has nothing of its own: OctoPrint tells the plugin's estimate
// as its own, with the origin "genius". Tried with 2.4.4.
func printTimeGeniusPlugin() plugin {
	return plugin{
		id: "PrintTimeGenius", name: "PrintTimeGenius", verified: true,
		remark: "Its estimate is used for `progress`, `remaining` and `finish`; `estimate_origin` says `genius` then.",
	}
}
