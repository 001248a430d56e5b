package integration

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// placeholders are what stands in for a picture that isn't there, by media type.
type placeholders map[string]string

// newPlaceholders draws a dark sheet with the outline of a picture on it. It is as
// good as a value: small, and always the same.
func newPlaceholders() placeholders {
	m := image.NewPaletted(image.Rect(0, 0, 320, 240), color.Palette{color.Gray{Y: 56}, color.Gray{Y: 104}})
	for i := range m.Pix {
		if outlined(i%m.Stride, i/m.Stride) {
			m.Pix[i] = 1
		}
	}
	var asPNG, asJPEG bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&asPNG, m)
	grey := image.NewGray(m.Rect)
	for i, c := range m.Pix {
		grey.Pix[i] = m.Palette[c].(color.Gray).Y
	}
	if jpegErr := jpeg.Encode(&asJPEG, grey, &jpeg.Options{Quality: 60}); err != nil || jpegErr != nil {
		panic("integration: a picture of our own can't be packed")
	}
	return placeholders{typePNG: asPNG.String(), typeJPEG: asJPEG.String()}
}

// outlined draws a frame with a hill and a sun in it.
func outlined(x, y int) bool {
	if x < 110 || x >= 210 || y < 82 || y >= 158 {
		return false
	}
	if x < 114 || x >= 206 || y < 86 || y >= 154 {
		return true
	}
	sunX, sunY := x-185, y-105
	hill := y > 110 && y-110 > max(x-150, 150-x)
	return hill || sunX*sunX+sunY*sunY < 64
}
