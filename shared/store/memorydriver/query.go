package memorydriver

import (
	"context"
	"sort"
	"time"

	"waggle/shared/store/driver"
)

// Query implements driver.Driver.
func (d *Driver) Query(ctx context.Context, q driver.Query) (page driver.Page, err error) {
	if err := driver.CheckQuery(q); err != nil {
		return driver.Page{}, err
	}
	after, resumed, err := q.After()
	if err != nil {
		return driver.Page{}, err
	}
	err = d.call(ctx, Call{Op: Query, Query: q}, func(now time.Time) error {
		if q.Index == "" {
			sorts := d.table.order[q.Partition]
			page = d.page(q, after, resumed, len(sorts), func(i int) (driver.Position, *driver.Item) {
				key := driver.Key{Partition: q.Partition, Sort: sorts[i]}
				return driver.Position{Sort: sorts[i], Key: key}, d.table.get(key)
			}, now)
			return nil
		}
		list := d.index.lists[indexPartition{q.Index, q.Partition}]
		page = d.page(q, after, resumed, len(list), func(i int) (driver.Position, *driver.Item) {
			projected := *d.index.shown[list[i].Key]
			projected.Body = nil
			return list[i], &projected
		}, now)
		return nil
	})
	if err != nil {
		return driver.Page{}, err
	}
	return page, nil
}

// page collects a page from n rows in ascending order.
func (d *Driver) page(q driver.Query, after driver.Position, resumed bool, n int,
	at func(int) (driver.Position, *driver.Item), now time.Time) (page driver.Page) {
	place := func(i int) driver.Position { p, _ := at(i); return p }
	first := sort.Search(n, func(i int) bool {
		p := place(i)
		return p.Sort >= q.From && (!resumed || q.Descending || comparePositions(p, after) > 0)
	})
	end := sort.Search(n, func(i int) bool {
		p := place(i)
		return (q.To != "" && p.Sort >= q.To) || (resumed && q.Descending && comparePositions(p, after) >= 0)
	})
	bytes, last := 0, driver.Position{}
	for k := range end - first {
		i := first + k
		if q.Descending {
			i = end - 1 - k
		}
		p, item := at(i)
		if driver.Expired(item.Expires, now) {
			continue
		}
		bytes += driver.Size(item)
		if bytes > driver.MaxPage || (q.Limit > 0 && len(page.Items) == q.Limit) {
			page.Cursor = q.CursorAfter(last)
			break
		}
		page.Items, last = append(page.Items, clone(item)), p
	}
	return page
}
