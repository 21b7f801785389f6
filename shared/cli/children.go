package cli

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
)

// children are the processes of this program that work for this one. The zero value is ready.
type children struct {
	mu   sync.Mutex
	list []*os.Process
}

// add notes a child until the returned function is called.
func (c *children) add(p *os.Process) (remove func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, p)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.list = slices.DeleteFunc(c.list, func(other *os.Process) bool { return other == p })
	}
}

func (c *children) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.list {
		_ = p.Kill()
	}
}

// child is a process of this program over the same store. The terminal's Ctrl-C does not reach it: this process tells it. When the
// context ends it is killed.
func (s *session) child(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.app.Executable, args...)
	c.Env = append(os.Environ(), "WAGGLE_HOME="+s.homeDir(), "WAGGLE_STORE="+s.storeAddress())
	apart(c)
	return c
}
