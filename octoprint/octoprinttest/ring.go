package octoprinttest

// ring keeps the newest values of a sequence. Positions count from the sequence's beginning, so that each reader can
// remember where it stopped.
type ring[T any] struct {
	items []T
	limit int
	first int // position of items[0]
}

func (r *ring[T]) add(v T) {
	r.items = append(r.items, v)
	if over := len(r.items) - r.limit; over > r.limit/4 {
		r.items = append([]T(nil), r.items[over:]...)
		r.first += over
	}
}

// end is the position after the newest value.
func (r *ring[T]) end() int { return r.first + len(r.items) }

// since returns the values from a position on, as far as they are still there, and at most limit of them.
func (r *ring[T]) since(position int) []T {
	from := max(position-r.first, 0, len(r.items)-r.limit)
	return r.items[min(from, len(r.items)):]
}
