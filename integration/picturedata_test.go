package integration

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// corners is a picture whose four quarters are red, green, blue and white, from the
// top left to the bottom right.
func corners(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, map[[2]bool]color.Color{
				{false, false}: color.NRGBA{255, 0, 0, 255}, {true, false}: color.NRGBA{0, 255, 0, 255},
				{false, true}: color.NRGBA{0, 0, 255, 255}, {true, true}: color.White,
			}[[2]bool{x >= width/2, y >= height/2}])
		}
	}
	return m
}

// quarters names the colours of a picture's quarters, as corners has them.
func quarters(m image.Image) string {
	var s strings.Builder
	b := m.Bounds()
	for _, p := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		r, g, bl, _ := m.At(b.Min.X+b.Dx()*p[0]/4, b.Min.Y+b.Dy()*p[1]/4).RGBA()
		name := map[[3]bool]string{{true, false, false}: "r", {false, true, false}: "g", {false, false, true}: "b", {true, true, true}: "w"}
		s.WriteString(name[[3]bool{r > 0x8000, g > 0x8000, bl > 0x8000}] + "")
	}
	return s.String()
}

func asPNG(tb testing.TB, m image.Image) string {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func asJPEG(tb testing.TB, m image.Image) string {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// subsampled is corners in one of the forms in which JPEGs are unpacked.
func subsampled(width, height int, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	from := corners(width, height)
	m := image.NewYCbCr(from.Rect, ratio)
	for y := range height {
		for x := range width {
			c := from.NRGBAAt(x, y)
			m.Y[m.YOffset(x, y)], m.Cb[m.COffset(x, y)], m.Cr[m.COffset(x, y)] = color.RGBToYCbCr(c.R, c.G, c.B)
		}
	}
	return m
}

// turns are what cameras can be set up for, with what becomes of corners, which is
// rgbw.
func turns() map[turn]string {
	return map[turn]string{
		{}:                            "rgbw",
		{FlipH: true}:                 "grwb",
		{FlipV: true}:                 "bwrg",
		{FlipH: true, FlipV: true}:    "wbgr",
		{Rotate90: true}:              "gwrb", // the top right corner comes to the top left
		{FlipH: true, Rotate90: true}: "rbgw",
		{FlipV: true, Rotate90: true}: "wgbr",
		{FlipH: true, FlipV: true, Rotate90: true}: "brwg",
	}
}

// TestTurns: pictures of all kinds are flipped first and turned then, as OctoPrint
// does it.
func TestTurns(t *testing.T) {
	t.Parallel()
	paletted := image.NewPaletted(image.Rect(0, 0, 40, 24), color.Palette{
		color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.White,
	})
	deep := image.NewNRGBA64(paletted.Rect)
	for y := range 24 {
		for x := range 40 {
			paletted.Set(x, y, corners(40, 24).At(x, y))
			deep.Set(x, y, corners(40, 24).At(x, y))
		}
	}
	sub := corners(80, 48).SubImage(image.Rect(0, 0, 80, 48))
	kinds := map[string]image.Image{"NRGBA": corners(40, 24), "odd": corners(41, 23), "paletted": paletted, "deep": deep, "part": sub}
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		kinds[ratio.String()] = subsampled(80, 48, ratio)
		kinds[ratio.String()+" odd"] = subsampled(81, 47, ratio)
	}
	for name, m := range kinds {
		for turned, want := range turns() {
			got := turned.apply(m)
			width, height := turned.size(m.Bounds().Dx(), m.Bounds().Dy())
			if q := quarters(got); q != want || got.Bounds() != image.Rect(0, 0, width, height) {
				t.Errorf("%s %+v: %s in %v, want %s", name, turned, q, got.Bounds(), want)
			}
		}
	}
	if _, ok := (turn{Rotate90: true}).apply(subsampled(80, 48, image.YCbCrSubsampleRatio420)).(*image.YCbCr); !ok {
		t.Error("a camera's usual picture is unpacked further than needed")
	}
	grey := image.NewGray(image.Rect(0, 0, 4, 2))
	grey.Pix[3] = 200
	if got := (turn{Rotate90: true}).apply(grey).(*image.Gray); got.Rect != image.Rect(0, 0, 2, 4) || got.Pix[0] != 200 {
		t.Errorf("grey: %v", got)
	}
}

// TestTurnPicture: packed pictures, which stay as they are if nothing is to be done.
func TestTurnPicture(t *testing.T) {
	t.Parallel()
	for kind, picture := range map[string]string{typeJPEG: asJPEG(t, corners(64, 48)), typePNG: asPNG(t, corners(64, 48))} {
		for turned, want := range turns() {
			got, c, err := checkPicture(picture)
			if err != nil || got != kind || c.Width != 64 || c.Height != 48 {
				t.Fatalf("%s: %s %v %v", kind, got, c, err)
			}
			result, err := turnPicture(picture, kind, c, turned)
			if err != nil || (result == picture) != (turned == turn{}) {
				t.Fatalf("%s %+v: %v", kind, turned, err)
			}
			m, format, err := image.Decode(strings.NewReader(result))
			if err != nil || "image/"+format != kind || quarters(m) != want {
				t.Errorf("%s %+v: %s %s, %v", kind, turned, format, quarters(m), err)
			}
		}
	}
}

// claiming changes the size that a picture claims to have.
func claiming(picture string, width, height uint32) string {
	b := []byte(picture)
	if typeOf(picture) == typePNG {
		binary.BigEndian.PutUint32(b[16:], width)
		binary.BigEndian.PutUint32(b[20:], height)
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		return string(b)
	}
	at := bytes.Index(b, []byte("\xff\xc0"))
	binary.BigEndian.PutUint16(b[at+5:], uint16(height))
	binary.BigEndian.PutUint16(b[at+7:], uint16(width))
	return string(b)
}

// TestCheckPicture refuses what is none, not whole, or a bomb, without unpacking it.
func TestCheckPicture(t *testing.T) {
	t.Parallel()
	p, j := asPNG(t, corners(64, 48)), asJPEG(t, corners(64, 48))
	for name, tt := range map[string]struct {
		picture string
		want    error
	}{
		"PNG": {p, nil}, "JPEG": {j, nil},
		"JPEG with a tail":                    {j + "\x00\x00\r\n", nil},
		"nothing":                             {"", errNoPicture},
		"a page":                              {"<!doctype html><html>" + j, errNoPicture},
		"a GIF":                               {"GIF89a" + j, errNoPicture},
		"an SVG":                              {"<svg/>", errNoPicture},
		"JPEG cut":                            {j[:len(j)-2], errPictureCut},
		"JPEG cut early":                      {j[:30], errBrokenPicture},
		"JPEG with the end of a preview only": {j[:2] + "\xff\xe1\x00\x0aExif\x00\x00\xff\xd9" + j[2:len(j)-2], errPictureCut},
		"JPEG mark only":                      {jpegMark, errBrokenPicture},
		"PNG cut":                             {p[:len(p)-5], errPictureCut},
		"PNG mark only":                       {pngMark, errPictureCut},
		"PNG bomb":                            {claiming(p, 1<<30, 1<<30), errBrokenPicture},
		"PNG large":                           {claiming(p, 20_000, 2501), errTooManyPixels},
		"PNG just":                            {claiming(p, 20_000, 2500), nil},
		"JPEG bomb":                           {claiming(j, 65535, 65535), errTooManyPixels},
		"JPEG empty":                          {claiming(j, 64, 0), errBrokenPicture},
	} {
		kind, _, err := checkPicture(tt.picture)
		if !errors.Is(err, tt.want) || (kind == "") != (err != nil) {
			t.Errorf("%s: %q, %v, want %v", name, kind, err, tt.want)
		}
	}
	rotated := turn{Rotate90: true}
	for name, picture := range map[string]string{
		"PNG": claiming(p, 4000, 2200), "JPEG": claiming(j, 5000, 4000), "progressive": claiming(j, 2500, 2000) + "\xff\xc2",
	} {
		kind, c, err := checkPicture(picture)
		if err != nil {
			t.Fatal(name, err)
		}
		if _, err := turnPicture(picture, kind, c, rotated); !errors.Is(err, errTooLargeToTurn) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := turnPicture(picture, kind, c, turn{}); err != nil || got != picture {
			t.Errorf("%s as it is: %v", name, err)
		}
	}
	kind, c, _ := checkPicture(claiming(j, 640, 480))
	if _, err := turnPicture(claiming(j, 640, 480), kind, c, rotated); !errors.Is(err, errBrokenPicture) {
		t.Errorf("less than it claims: %v", err)
	}
}

// TestReadPicture: no more is read than is needed to refuse it.
func TestReadPicture(t *testing.T) {
	t.Parallel()
	const full = maxPicture - len(jpegMark)
	noRoom := errors.New("no room")
	for name, tt := range map[string]struct {
		from     io.Reader
		read     int
		want     error
		enlarged bool
	}{
		"small":         {strings.NewReader(jpegMark + strings.Repeat("x", 1000)), 1003, nil, false},
		"bytewise":      {iotest.OneByteReader(strings.NewReader(pngMark + strings.Repeat("x", 1000))), 1008, nil, false},
		"large":         {strings.NewReader(jpegMark + strings.Repeat("x", full)), maxPicture, nil, true},
		"too large":     {strings.NewReader(jpegMark + strings.Repeat("x", full+1)), 0, errPictureTooLarge, true},
		"endless":       {io.MultiReader(strings.NewReader(jpegMark), endlessText{}), 0, errPictureTooLarge, true},
		"endless page":  {endlessText{}, 0, errNoPicture, false},
		"short":         {strings.NewReader("x"), 0, errNoPicture, false},
		"nothing":       {strings.NewReader(""), 0, errNoPicture, false},
		"cut":           {io.MultiReader(strings.NewReader(jpegMark+"xxxxxxxxxx"), iotest.ErrReader(io.ErrUnexpectedEOF)), 0, errPictureCut, false},
		"cut at once":   {iotest.ErrReader(errors.New("reset")), 0, errPictureCut, false},
		"late":          {iotest.ErrReader(context.DeadlineExceeded), 0, context.DeadlineExceeded, false},
		"large and cut": {io.MultiReader(strings.NewReader(jpegMark+strings.Repeat("x", smallPicture+99)), iotest.ErrReader(io.ErrUnexpectedEOF)), 0, errPictureCut, true},
	} {
		enlarged := 0
		got, err := readPicture(t.Context(), tt.from, func(context.Context) error { enlarged++; return nil })
		if len(got) != tt.read || !errors.Is(err, tt.want) || (enlarged == 1) != tt.enlarged {
			t.Errorf("%s: %d bytes, %v, enlarged %d times; want %d, %v", name, len(got), err, enlarged, tt.read, tt.want)
		}
	}
	_, err := readPicture(t.Context(), io.MultiReader(strings.NewReader(jpegMark), endlessText{}), func(context.Context) error { return noRoom })
	if !errors.Is(err, noRoom) {
		t.Errorf("without room: %v", err)
	}
}

// endlessText says x for ever.
type endlessText struct{}

func (endlessText) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// FuzzPicture: whatever a camera sends is refused, or can be shown and, if it is to be
// turned, has the size that it should have then.
func FuzzPicture(f *testing.F) {
	for _, picture := range []string{
		asPNG(f, corners(9, 7)), asJPEG(f, corners(16, 8)), asJPEG(f, image.NewGray(image.Rect(0, 0, 5, 5))),
		asJPEG(f, subsampled(16, 16, image.YCbCrSubsampleRatio422)), claiming(asPNG(f, corners(9, 7)), 60_000, 60_000), jpegMark, pngMark, "<html>",
	} {
		for n := range uint8(8) {
			f.Add([]byte(picture), n)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, how uint8) {
		read, err := readPicture(t.Context(), bytes.NewReader(data), func(context.Context) error { return nil })
		if err != nil {
			return
		}
		kind, c, err := checkPicture(read)
		if err != nil {
			return
		}
		turned := turn{FlipH: how&1 != 0, FlipV: how&2 != 0, Rotate90: how&4 != 0}
		result, err := turnPicture(read, kind, c, turned)
		if err != nil {
			return
		}
		again, size, err := checkPicture(result)
		width, height := turned.size(c.Width, c.Height)
		if err != nil || again != kind || size.Width != width || size.Height != height {
			t.Errorf("%s of %d × %d became %s of %d × %d, %v", kind, c.Width, c.Height, again, size.Width, size.Height, err)
		}
	})
}
