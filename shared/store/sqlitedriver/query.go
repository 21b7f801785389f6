package sqlitedriver

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"

	"waggle/shared/store/driver"
)

// The bounds are a lower and an upper one, moved inwards by the cursor, so that a page
// costs the same wherever it lies. CROSS JOIN keeps SQLite from starting at items.
const (
	queryItems = "SELECT version, expires, entries, data, body, sort, partition, sort FROM items" +
		" WHERE partition = ? AND sort >= ? AND sort < ? AND (expires = 0 OR expires > ?) ORDER BY sort %s"
	queryIndex = "SELECT i.version, i.expires, i.entries, i.data, NULL, e.isort, e.partition, e.sort" +
		" FROM entries e CROSS JOIN items i ON i.partition = e.partition AND i.sort = e.sort" +
		" WHERE e.idx = ? AND e.ipart = ? AND (e.isort, e.partition, e.sort) > (?, ?, ?)" +
		" AND (e.isort, e.partition, e.sort) < (?, ?, ?) AND (i.expires = 0 OR i.expires > ?)" +
		" ORDER BY e.isort %[1]s, e.partition %[1]s, e.sort %[1]s"
)

var statements = map[[2]bool]string{ // [over an index, descending]
	{false, false}: fmt.Sprintf(queryItems, "ASC"),
	{false, true}:  fmt.Sprintf(queryItems, "DESC"),
	{true, false}:  fmt.Sprintf(queryIndex, "ASC"),
	{true, true}:   fmt.Sprintf(queryIndex, "DESC"),
}

// end is above every text: SQLite sorts blobs after texts.
var end = []byte{0xff}

// Query implements driver.Driver.
func (d *Driver) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	if err := driver.CheckQuery(q); err != nil {
		return driver.Page{}, err
	}
	after, resumed, err := q.After()
	if err != nil {
		return driver.Page{}, err
	}
	args := tableBounds
	if q.Index != "" {
		args = indexBounds
	}
	statement := statements[[2]bool{q.Index != "", q.Descending}]
	bounds := append(args(q, after, resumed), d.clock().Unix())
	var page driver.Page
	err = d.with(ctx, d.readers, "query "+q.Index+" "+q.Partition, func(c *conn) error {
		page, err = c.page(q, statement, bounds)
		return err
	})
	if err != nil {
		return driver.Page{}, err
	}
	return page, nil
}

// page reads rows until the page is full and one more is seen.
func (c *conn) page(q driver.Query, statement string, bounds []any) (page driver.Page, err error) {
	bytes := 0
	var last driver.Position
	err = c.rows(statement, bounds, func(row []sqldriver.Value) (bool, error) {
		place, ok1 := row[5].(string)
		partition, ok2 := row[6].(string)
		sort, ok3 := row[7].(string)
		if !ok1 || !ok2 || !ok3 {
			return false, errRow
		}
		item, err := readItem(driver.Key{Partition: partition, Sort: sort}, row)
		if err != nil {
			return false, err
		}
		bytes += driver.Size(&item)
		if bytes > driver.MaxPage || (q.Limit > 0 && len(page.Items) == q.Limit) {
			page.Cursor = q.CursorAfter(last)
			return false, nil
		}
		page.Items = append(page.Items, item)
		last = driver.Position{Sort: place, Key: item.Key}
		return true, nil
	})
	return page, err
}

func tableBounds(q driver.Query, after driver.Position, resumed bool) []any {
	low, high := q.From, q.To
	if resumed && q.Descending && (high == "" || after.Sort < high) {
		high = after.Sort
	}
	if resumed && !q.Descending {
		low = max(low, after.Sort+"\x00") // the next text after it
	}
	return []any{q.Partition, low, upper(high)}
}

func indexBounds(q driver.Query, after driver.Position, resumed bool) []any {
	low, high := driver.Position{Sort: q.From}, driver.Position{Sort: q.To}
	if resumed && q.Descending && (high.Sort == "" || after.Sort < high.Sort) {
		high = after
	}
	if resumed && !q.Descending && after.Sort >= low.Sort {
		low = after
	}
	return []any{q.Index, q.Partition, low.Sort, low.Key.Partition, low.Key.Sort,
		upper(high.Sort), high.Key.Partition, high.Key.Sort}
}

func upper(text string) any {
	if text == "" {
		return end
	}
	return text
}
