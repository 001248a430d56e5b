package integration

import (
	"context"
	"sync"
)

// spawn has something run beside all else and reports whether there was room to
// ask for it. The asker bounds how much of it runs.
func (b *Bridge) spawn(f func(context.Context)) bool {
	select {
	case b.spawned <- f:
		return true
	default:
		return false
	}
}

// runSpawned runs what is spawned until ctx ends, and waits for it.
func (b *Bridge) runSpawned(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-b.spawned:
			group.Go(func() { f(ctx) })
		}
	}
}
