package sqlitedriver

import (
	sqldriver "database/sql/driver"
	"encoding/json"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

const selectItem = "SELECT version, expires, entries, data, body FROM items WHERE partition = ? AND sort = ?"

var errRow = fault.New(fault.Corrupt, "a row does not read back")

// stored returns the item at key as it lies in the file, expired or not; nil is absent.
func (c *conn) stored(key driver.Key) (item *driver.Item, err error) {
	err = c.rows(selectItem, []any{key.Partition, key.Sort}, func(row []sqldriver.Value) (bool, error) {
		read, err := readItem(key, row)
		item = &read
		return false, err
	})
	return item, err
}

// readItem makes an item of the columns version, expires, entries, data, body.
func readItem(key driver.Key, row []sqldriver.Value) (driver.Item, error) {
	version, ok1 := row[0].(int64)
	expires, ok2 := row[1].(int64)
	data, ok3 := row[3].(string)
	if !ok1 || !ok2 || !ok3 {
		return driver.Item{}, errRow
	}
	body, _ := row[4].([]byte)
	entries, err := decodeEntries(row[2])
	return driver.Item{
		Key:     key,
		Version: version,
		Data:    json.RawMessage(data),
		Body:    body,
		Expires: driver.ExpiryTime(expires),
		Entries: entries,
	}, err
}

// encodeEntries returns the column entries: nil where there are none.
func encodeEntries(entries []driver.Entry) any {
	if len(entries) == 0 {
		return nil
	}
	list := make([][3]string, len(entries))
	for i, e := range entries {
		list[i] = [3]string{e.Index, e.Partition, e.Sort}
	}
	text, _ := json.Marshal(list) // strings always encode
	return string(text)
}

func decodeEntries(column sqldriver.Value) ([]driver.Entry, error) {
	text, ok := column.(string)
	if !ok {
		return nil, nil
	}
	var list [][3]string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, errRow
	}
	entries := make([]driver.Entry, len(list))
	for i, e := range list {
		entries[i] = driver.Entry{Index: e[0], Partition: e[1], Sort: e[2]}
	}
	return entries, nil
}

// dataText is the column data.
func dataText(data json.RawMessage) string {
	if len(data) == 0 {
		return "{}"
	}
	return string(data)
}

// bodyValue is the column body: nil where it is empty.
func bodyValue(body []byte) any {
	if len(body) == 0 {
		return nil
	}
	return body
}
