package sqlitedriver

import (
	"context"
	"fmt"
)

// LimitPages makes the disk full once the file has n pages.
func (d *Driver) LimitPages(n int) error {
	return d.with(context.Background(), d.writer, "limit", func(c *conn) error {
		return c.script(fmt.Sprintf("PRAGMA max_page_count = %d", n))
	})
}
