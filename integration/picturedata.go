package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
)

const (
	// maxPicture bounds a picture in bytes.
	maxPicture = 5 << 20
	// smallPicture is how many bytes of a picture are read without asking whether
	// there is memory for more.
	smallPicture = 512 << 10
	// maxPixels bounds what a picture makes others unpack who look at it.
	maxPixels = 50_000_000
	// maxUnpacked bounds a picture in bytes that is unpacked here, to be turned.
	maxUnpacked = 64 << 20
	// turnedQuality is what JPEGs that were turned are packed with again.
	turnedQuality = 85
)

// The media types of pictures.
const (
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
)

// What is wrong with a picture, in words that go on where "the camera" ends.
var (
	errPictureTooLarge = errors.New("sends more than 5 MiB")
	errNoPicture       = errors.New("sends neither a JPEG nor a PNG picture")
	errBrokenPicture   = errors.New("sends a broken picture")
	errPictureCut      = errors.New("sends a picture that breaks off")
	errTooManyPixels   = fmt.Errorf("sends a picture of more than %d million pixels", maxPixels/1_000_000)
	errBrokerRefuses   = errors.New("sends a picture that is too large for the MQTT broker, which hangs up on it; allow larger packets there, or make the picture smaller")
	errTooLargeToTurn  = errors.New("sends a picture that is too large to be turned")
)

// readPicture reads a picture to its end. Before it takes more than a little memory
// it calls enlarge, which may wait.
func readPicture(ctx context.Context, r io.Reader, enlarge func(context.Context) error) (string, error) {
	var b strings.Builder
	if _, err := io.CopyN(&b, r, int64(len(pngMark))); err != nil || typeOf(b.String()) == "" {
		return "", readError(err)
	}
	switch _, err := io.CopyN(&b, r, smallPicture); {
	case errors.Is(err, io.EOF):
		return b.String(), nil
	case err != nil:
		return "", readError(err)
	}
	if err := enlarge(ctx); err != nil {
		return "", err
	}
	if _, err := io.Copy(&b, io.LimitReader(r, int64(maxPicture+1-b.Len()))); err != nil {
		return "", readError(err)
	}
	if b.Len() > maxPicture {
		return "", errPictureTooLarge
	}
	return b.String(), nil
}

// readError says in our words why the reading of a picture has ended.
func readError(err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return errNoPicture
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	return errPictureCut
}

const (
	jpegMark = "\xff\xd8\xff"
	jpegScan = "\xff\xda" // the pixels follow, in which there are no marks but jpegEnd
	jpegEnd  = "\xff\xd9"
	// jpegProgressive begins the header of one that comes in layers.
	jpegProgressive = "\xff\xc2"

	pngMark   = "\x89PNG\r\n\x1a\n"
	pngEnding = "IEND\xaeB`\x82"
)

// typeOf tells a picture's media type by its first bytes, "" if it is none.
func typeOf(picture string) string {
	switch {
	case strings.HasPrefix(picture, jpegMark):
		return typeJPEG
	case strings.HasPrefix(picture, pngMark):
		return typePNG
	}
	return ""
}

// checkPicture refuses what isn't a whole JPEG or PNG, or claims to be a huge one. It
// unpacks nothing.
func checkPicture(picture string) (kind string, c image.Config, err error) {
	kind = typeOf(picture)
	switch kind {
	case typeJPEG:
		c, err = jpeg.DecodeConfig(strings.NewReader(picture))
		if strings.LastIndex(picture, jpegEnd) < strings.LastIndex(picture, jpegScan) {
			err = errors.Join(err, errPictureCut)
		}
	case typePNG:
		c, err = png.DecodeConfig(strings.NewReader(picture))
		if !strings.Contains(picture, pngEnding) {
			err = errors.Join(err, errPictureCut)
		}
	default:
		return "", c, errNoPicture
	}
	switch {
	case errors.Is(err, errPictureCut):
		return "", c, errPictureCut
	case err != nil, c.Width < 1, c.Height < 1:
		return "", c, errBrokenPicture
	case int64(c.Width)*int64(c.Height) > maxPixels:
		return "", c, errTooManyPixels
	}
	return kind, c, nil
}

// turnPicture applies a turn to a picture that has passed the check.
func turnPicture(picture, kind string, c image.Config, t turn) (string, error) {
	if t == (turn{}) {
		return picture, nil
	}
	if int64(c.Width)*int64(c.Height)*unpacked(picture, kind) > maxUnpacked {
		return "", errTooLargeToTurn
	}
	var m image.Image
	var err error
	if kind == typePNG {
		m, err = png.Decode(strings.NewReader(picture))
	} else {
		m, err = jpeg.Decode(strings.NewReader(picture))
	}
	if err != nil {
		return "", errBrokenPicture
	}
	var b bytes.Buffer
	if kind == typePNG {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, t.apply(m))
	} else {
		err = jpeg.Encode(&b, t.apply(m), &jpeg.Options{Quality: turnedQuality})
	}
	if err != nil || b.Len() > maxPicture {
		return "", errTooLargeToTurn
	}
	return b.String(), nil
}

// unpacked is how many bytes a point may take while the library unpacks a picture.
func unpacked(picture, kind string) int64 {
	switch {
	case kind == typePNG:
		return 8 // of 16 bits a colour
	case strings.Contains(picture, jpegProgressive):
		return 16 // it comes in layers, which are kept until the last
	}
	return 4
}
