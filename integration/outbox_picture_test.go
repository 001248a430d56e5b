package integration

import (
	"slices"
	"strconv"
	"testing"
)

// put puts a picture and returns where its fate is noted.
func put(o *outbox, topic, picture string) *[]bool {
	var fate []bool
	o.PutPicture(topic, picture, func(arrived bool) { fate = append(fate, arrived) })
	return &fate
}

func wantFate(t *testing.T, what string, fate *[]bool, want ...bool) {
	t.Helper()
	if !slices.Equal(*fate, want) {
		t.Errorf("%s: its fate is %v, want %v", what, *fate, want)
	}
}

// TestPicturesAreNotKept: of a picture that was sent nothing is left, so it isn't
// sent again either, whatever becomes of the broker.
func TestPicturesAreNotKept(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	fate := put(o, "a", "picture")
	wantMessages(t, "before pictures", drain(o, onlineClass), "")
	if !o.Settled(onlineClass) || !o.Introduced(onlineClass) || !o.Owns("a") {
		t.Error("others wait for a picture, or it isn't ours")
	}
	list := drain(o, pictureClass)
	wantMessages(t, "pictures", list, "a=picture")
	if !list[0].retained {
		t.Error("it isn't retained")
	}
	for r := range o.topics.all() {
		if r.payload.text != "" {
			t.Errorf("in flight %q is kept", r.payload.text)
		}
	}
	wantFate(t, "in flight", fate)
	acknowledge(list)
	wantFate(t, "acknowledged", fate, true)
	o.Again()
	wantMessages(t, "again", drain(o, pictureClass), "")
	o.Forget()
	wantMessages(t, "the next connection", drain(o, pictureClass), "")
	wantFate(t, "afterwards", fate, true)
	if len(o.passing) > 0 || !o.Introduced(pictureClass) {
		t.Error("something is waited for")
	}
}

// TestPicturesComeLast, and only a few at a time.
func TestPicturesComeLast(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	for i := range 2 * maxPicturesInFlight {
		put(o, "picture "+strconv.Itoa(i), "p")
	}
	o.Put("value", "1", valueClass)
	list := drain(o, pictureClass)
	if len(list) != 1+maxPicturesInFlight || list[0].topic != "value" {
		t.Errorf("%d messages, the first is %s", len(list), list[0].topic)
	}
	o.Put("value 2", "1", valueClass)
	<-o.wake
	list[1].done()
	select {
	case <-o.wake:
	default:
		t.Error("nobody is told that a picture can be sent")
	}
	list = drain(o, pictureClass)
	if len(list) != 2 || list[0].topic != "value 2" {
		t.Errorf("then %d messages, the first is %s", len(list), list[0].topic)
	}
}

// TestP2OfPictures: what takes the place of a picture never overtakes it, and each
// picture's fate is told once.
func TestP2OfPictures(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	first := put(o, "a", "1")
	flying := drain(o, pictureClass)
	second, third := put(o, "a", "2"), put(o, "a", "3")
	wantFate(t, "replaced", second, false)
	wantMessages(t, "while in flight", drain(o, pictureClass), "")
	o.Put("a", "none", valueClass)
	wantFate(t, "replaced by none", third, false)
	wantMessages(t, "while in flight", drain(o, pictureClass), "")
	acknowledge(flying)
	wantFate(t, "the first", first, true)
	list := drain(o, pictureClass)
	wantMessages(t, "afterwards", list, "a=none")
	fourth := put(o, "a", "4")
	wantMessages(t, "while none is in flight", drain(o, pictureClass), "")
	acknowledge(list)
	flying = drain(o, pictureClass)
	wantMessages(t, "the fourth", flying, "a=4")
	fifth := put(o, "a", "5")
	o.DropPictures()
	wantFate(t, "the connection has ended", fourth, false)
	wantFate(t, "likewise", fifth, false)
	o.Forget()
	acknowledge(flying) // too late
	wantFate(t, "once", fourth, false)
	wantMessages(t, "the next connection", drain(o, pictureClass), "")
	o.Put("a", "none", valueClass)
	wantMessages(t, "and", drain(o, valueClass), "a=none")
}

// TestPicturesAreRemoved like any other topic.
func TestPicturesAreRemoved(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	waiting, arrived := put(o, "a", "1"), put(o, "b", "1")
	o.Remove("a")
	wantFate(t, "removed", waiting, false)
	list := drain(o, pictureClass)
	wantMessages(t, "removed and sent", list, "a= b=1")
	acknowledge(list)
	o.RemoveAll()
	list = drain(o, onlineClass)
	slices.SortFunc(list, func(m, n message) int { return int(m.topic[0]) - int(n.topic[0]) })
	wantMessages(t, "all removed", list, "a= b=")
	acknowledge(list)
	wantFate(t, "arrived", arrived, true)
	if o.Owns("b") {
		t.Error("it is still ours")
	}
	o.Forget()
	if n := len(drain(o, valueClass)); n != 2 {
		t.Errorf("%d are removed on the next connection", n)
	}
	put(o, "a", "2")
	o.Disown("a")
	wantMessages(t, "disowned", drain(o, pictureClass), "")
}
