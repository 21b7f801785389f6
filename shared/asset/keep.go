package asset

import (
	"sync"

	"waggle/shared/metadata"
)

// gathered holds the values of labels that several calls in one step report together.
type gathered struct {
	mu     sync.Mutex
	values map[string]any
}

// Gather sets a label of the metadata to what add makes of the value that Gather gave it before, nil the first time: for
// packages whose functions may be called several times in one step and report to one label.
func (c *Context) Gather(label string, add func(before any) any) {
	c.gathered.mu.Lock()
	defer c.gathered.mu.Unlock()
	if c.gathered.values == nil {
		c.gathered.values = map[string]any{}
	}
	value := add(c.gathered.values[label])
	c.gathered.values[label] = value
	c.step.AddMetadata(metadata.Map{label: value}.Encode())
}

// Keep stores data beside what the step makes, under a name such as "quarantine.parquet", and returns where it is. Put that into the step's metadata, as
// metadata.Path: what no metadata names is deleted with the run's log.
func (c *Context) Keep(name string, data []byte) (blob string, err error) {
	return c.step.Keep(c, name, data)
}

// Kept returns what Keep has stored, in this step or in another. fault.NotFound says that it is gone.
func (c *Context) Kept(blob string) ([]byte, error) { return c.step.Kept(c, blob) }
