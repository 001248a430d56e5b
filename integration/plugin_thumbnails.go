package integration

// The plugins that make pictures out of what slicers write into files: Slicer
// Thumbnails, and Cura's package format. Where those pictures are OctoPrint tells
// with the file.
const (
	pluginSlicerThumbnails = "prusaslicerthumbnails"
	pluginUltimakerPackage = "UltimakerFormatPackage"
)

// thumbnailPlugin is one that is only known to be there. It pushes nothing.
func thumbnailPlugin(id string) plugin { return plugin{id: id, messages: []string{}} }
