package integration

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"octoprint2mqtt/octoprint"
)

// explainPicture says in the words of the user why there is no picture of a camera, or
// of a file, and what to do. It reports as final what no other attempt will mend.
func explainPicture(err error, camera bool) (reason string, final bool) {
	who, hint := "OctoPrint", ""
	if camera {
		who, hint = "the camera", "; if that is right, write the address under camera: url in the configuration"
	}
	e, ok := errors.AsType[*octoprint.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s did not send its picture within %v", who, pictureTimeout), false
	case !ok:
		return who + " " + err.Error(), false
	case e.Failure == octoprint.Refused && e.Status == 0:
		return "the picture is not fetched: " + why(e) + hint, true
	case e.Failure == octoprint.Redirected:
		return fmt.Sprintf("%s sends on to %s instead of a picture, which is not followed", who, e.Location), false
	case e.Failure == octoprint.NotPermitted && camera:
		return "the camera asks for a login; write its address with user and password under camera: url in the configuration", false
	case e.Failure == octoprint.NotPermitted:
		return "OctoPrint does not show the picture to the API key's user, who needs the permission FILES_DOWNLOAD", false
	case e.Failure == octoprint.TLSFailed:
		return fmt.Sprintf("there is no secure connection with %s: %s", who, why(e)), false
	case e.Status != 0:
		return fmt.Sprintf("%s answers with the error %d instead of a picture", who, e.Status), false
	}
	return fmt.Sprintf("%s can't be reached: %s", who, why(e)), false
}

func why(e *octoprint.Error) string {
	if e.Err == nil {
		return cmp.Or(e.Message, "it does not say why")
	}
	return cmp.Or(e.Message, e.Err.Error())
}
