package integration

// roster is the printers of the bridge at one moment, in the order of the
// configuration. It never changes: a reload makes another one.
type roster struct {
	list []*printer
	byID map[string]*printer
}

func newRoster(list []*printer) *roster {
	r := &roster{list: list, byID: make(map[string]*printer, len(list))}
	for _, p := range list {
		r.byID[p.id] = p
	}
	return r
}

// printers are those that there are now.
func (b *Bridge) printers() []*printer { return b.roster.Load().list }

// printer returns the printer of an id, nil if there is none.
func (b *Bridge) printer(id string) *printer { return b.roster.Load().byID[id] }
