package integration

import (
	"image"
	"image/draw"
)

// turn is what has to be done to a camera's picture: it is flipped first, left to
// right and top to bottom, and turned by 90° against the clock then.
type turn struct {
	FlipH, FlipV, Rotate90 bool
}

// source returns which point of the original, of a size, is shown at a point.
func (t turn) source(x, y, width, height int) (int, int) {
	if t.Rotate90 {
		x, y = width-1-y, x
	}
	if t.FlipH {
		x = width - 1 - x
	}
	if t.FlipV {
		y = height - 1 - y
	}
	return x, y
}

// size is that of the result for an original of a size.
func (t turn) size(width, height int) (int, int) {
	if t.Rotate90 {
		return height, width
	}
	return width, height
}

// apply returns a picture as it should be seen. The kinds that cameras send keep
// their form; others become one of four bytes a pixel.
func (t turn) apply(m image.Image) image.Image {
	width, height := t.size(m.Bounds().Dx(), m.Bounds().Dy())
	bounds := image.Rect(0, 0, width, height)
	switch m := m.(type) {
	case *image.Gray:
		out := image.NewGray(bounds)
		t.plane(plane{out.Pix, out.Stride, width, height}, plane{m.Pix, m.Stride, m.Rect.Dx(), m.Rect.Dy()})
		return out
	case *image.YCbCr:
		if ratio, ok := t.subsampling(m); ok {
			return t.colours(m, image.NewYCbCr(bounds, ratio))
		}
	}
	pixels, ok := m.(*image.NRGBA)
	if !ok {
		pixels = image.NewNRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
		draw.Draw(pixels, pixels.Rect, m, m.Bounds().Min, draw.Src)
	}
	out := image.NewNRGBA(bounds)
	for y := range height {
		for x := range width {
			fromX, fromY := t.source(x, y, pixels.Rect.Dx(), pixels.Rect.Dy())
			from, to := pixels.Pix[fromY*pixels.Stride+4*fromX:], out.Pix[y*out.Stride+4*x:]
			copy(to[:4], from[:4])
		}
	}
	return out
}

// plane is one byte for each point of a picture.
type plane struct {
	bytes                 []byte
	stride, width, height int
}

func (t turn) plane(to, from plane) {
	for y := range to.height {
		row := to.bytes[y*to.stride:]
		for x := range to.width {
			fromX, fromY := t.source(x, y, from.width, from.height)
			row[x] = from.bytes[fromY*from.stride+fromX]
		}
	}
}

// sharing is how many points share a colour, across and down; 0 for the rarer kinds.
func sharing(ratio image.YCbCrSubsampleRatio) (across, down int) {
	switch ratio {
	case image.YCbCrSubsampleRatio444:
		return 1, 1
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	default:
		return 0, 0
	}
}

// subsampling returns how points share colours in the result, false where that can't
// be said: of the rarer kinds, and of sizes at whose edges fewer share one.
func (t turn) subsampling(m *image.YCbCr) (image.YCbCrSubsampleRatio, bool) {
	across, down := sharing(m.SubsampleRatio)
	if across == 0 || m.Rect.Dx()%across != 0 || m.Rect.Dy()%down != 0 || m.Rect.Min != (image.Point{}) {
		return 0, false
	}
	switch {
	case t.Rotate90 && m.SubsampleRatio == image.YCbCrSubsampleRatio422:
		return image.YCbCrSubsampleRatio440, true
	case t.Rotate90 && m.SubsampleRatio == image.YCbCrSubsampleRatio440:
		return image.YCbCrSubsampleRatio422, true
	}
	return m.SubsampleRatio, true
}

// colours turns brightness and colours each by itself.
func (t turn) colours(from, to *image.YCbCr) image.Image {
	across, down := sharing(from.SubsampleRatio)
	width, height := from.Rect.Dx(), from.Rect.Dy()
	for _, p := range []struct {
		to, from             []byte
		toStride, fromStride int
		across, down         int
	}{
		{to.Y, from.Y, to.YStride, from.YStride, 1, 1},
		{to.Cb, from.Cb, to.CStride, from.CStride, across, down},
		{to.Cr, from.Cr, to.CStride, from.CStride, across, down},
	} {
		w, h := width/p.across, height/p.down
		newWidth, newHeight := t.size(w, h)
		t.plane(plane{p.to, p.toStride, newWidth, newHeight}, plane{p.from, p.fromStride, w, h})
	}
	return to
}
