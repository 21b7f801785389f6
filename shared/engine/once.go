package engine

import "sync"

// once calls a function at most once a key: who asks meanwhile waits and gets the same result. A call that failed or
// panicked is forgotten, so that the next one tries again. The zero value is ready.
type once[K comparable] struct {
	mu    sync.Mutex
	calls map[K]*call
}

type call struct{ get func() (any, error) }

func (o *once[K]) do(key K, f func() (any, error)) (any, error) {
	o.mu.Lock()
	c := o.calls[key]
	if c == nil {
		c = &call{sync.OnceValues(f)}
		if o.calls == nil {
			o.calls = map[K]*call{}
		}
		o.calls[key] = c
	}
	o.mu.Unlock()
	ok := false
	defer func() {
		if !ok {
			o.forget(key, c)
		}
	}()
	value, err := c.get()
	ok = err == nil
	return value, err
}

// forget drops a key; of a call that failed, only if no newer one took its place.
func (o *once[K]) forget(key K, failed *call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if failed == nil || o.calls[key] == failed {
		delete(o.calls, key)
	}
}
