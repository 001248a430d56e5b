package integration

// The plugins that make pictures out of what slicers write into files: Slicer
// Thumbnails, and Cura's package format. Where those pictures are OctoPrint tells
// with the file.
const (
	pluginSlicerThumbnails = "prusaslicerthumbnails"
	pluginUltimakerPackage = "UltimakerFormatPackage"
)

// thumbnailPlugin is one that is only known to be there. It pushes nothing. Tried
// with Slicer Thumbnails 1.2.2 and UltiMaker Format Package 1.0.2.
func thumbnailPlugin(id, name string) plugin {
	return plugin{
		id: id, name: name, verified: true, messages: []string{},
		remark: "Its pictures of files are the `thumbnail` among the printer's own rows.",
	}
}
