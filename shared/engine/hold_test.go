package engine_test

import (
	"strings"
	"sync"

	"waggle/shared/store/memorydriver"
)

// isChunk reports whether a call puts a chunk of a log.
func isChunk(c memorydriver.Call) bool {
	return c.Op == memorydriver.Put && strings.HasPrefix(c.Keys[0].Sort, "LOG#")
}

// holdChunks keeps chunks from being stored, from the nth of now on, until the returned function is called.
func (w *world) holdChunks(n int) (release func()) {
	held := make(chan struct{})
	w.onCall(func(c memorydriver.Call) error {
		if !isChunk(c) || c.Done {
			return nil
		}
		w.mu.Lock()
		n--
		hold := n <= 0
		w.mu.Unlock()
		if hold {
			<-held
		}
		return nil
	})
	return sync.OnceFunc(func() { close(held) })
}
