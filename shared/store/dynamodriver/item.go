package dynamodriver

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// An item's attributes, as a person sees them in the console:
//
//	pk       S   RUN#0199f3c2-...
//	sk       S   META
//	version  N   3
//	data     M   {"status": "STARTED", "steps": 12, ...}; its JSON text (S) where a map cannot hold it; none where it is {}
//	body     B   bytes for programs; none where there are none
//	expires  N   seconds since 1970, the table's time to live; none for never
//	due_p    S   3                                               for each index that lists
//	due_s    S   2026-11-22T10:00:00Z#0199f3c2␀RUN#0199f3c2␀META  the item
//
// The sort key of an index ends with the item's key, after zero bytes (which no key has): DynamoDB leaves the
// order of equal sort keys open, and so none are equal. It costs some 50 bytes an entry; keys of several attributes
// would save them, and not every emulator knows those.
//
// An index projects version, data, expires and the entries, and not body: a log's chunk is large, and nobody lists it.
const (
	attrPartition = "pk"
	attrSort      = "sk"
	attrVersion   = "version"
	attrData      = "data"
	attrBody      = "body"
	attrExpires   = "expires"
)

// maxIndexSort is DynamoDB's limit for the sort key of an index.
const maxIndexSort = 1024

// indexAttributes are the attributes of an entry.
func indexAttributes(index string) (partition, sort string) { return index + "_p", index + "_s" }

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func keyOf(k driver.Key) attributes {
	return attributes{attrPartition: text(k.Partition), attrSort: text(k.Sort)}
}

// placeIn is the sort key of an index for an item.
func placeIn(p driver.Position) string {
	return p.Sort + "\x00" + p.Key.Partition + "\x00" + p.Key.Sort
}

// encode returns the attributes of an item that driver.CheckItem allows.
func (d *Driver) encode(item *driver.Item) (attributes, error) {
	a := keyOf(item.Key)
	a[attrVersion] = number(item.Version)
	if data := encodeData(item); data != nil {
		a[attrData] = data
	}
	if len(item.Body) > 0 {
		a[attrBody] = &types.AttributeValueMemberB{Value: item.Body}
	}
	if seconds := driver.ExpirySeconds(item.Expires); seconds != 0 {
		a[attrExpires] = number(seconds)
	}
	for _, e := range item.Entries {
		if err := d.checkIndex(e.Index); err != nil {
			return nil, err
		}
		place := placeIn(driver.Position{Sort: e.Sort, Key: item.Key})
		if len(place) > maxIndexSort {
			return nil, fault.New(fault.Invalid, "index %s of item %s: the sort key and the item's key together have %d bytes, %d are allowed", e.Index, item.Key, len(place), maxIndexSort)
		}
		p, s := indexAttributes(e.Index)
		a[p], a[s] = text(e.Partition), text(place)
	}
	return a, nil
}

func (d *Driver) checkIndex(name string) error {
	for _, known := range d.indexes {
		if name == known {
			return nil
		}
	}
	return fault.New(fault.Invalid, "the table has no index %q", name).WithHint("there is %s", strings.Join(d.indexes, ", "))
}

// decode returns the item of attributes. It keeps nothing of them but Body.
func (d *Driver) decode(a attributes) (driver.Item, error) {
	r := reader{attributes: a}
	item := driver.Item{Key: r.key(), Version: r.number(attrVersion), Expires: driver.ExpiryTime(r.number(attrExpires))}
	item.Data = r.data()
	if body, ok := a[attrBody].(*types.AttributeValueMemberB); ok && len(body.Value) > 0 {
		item.Body = body.Value
	}
	for _, index := range d.indexes {
		p, s := indexAttributes(index)
		if _, listed := a[s]; listed {
			sort, _, _ := strings.Cut(r.text(s), "\x00")
			item.Entries = append(item.Entries, driver.Entry{Index: index, Partition: r.text(p), Sort: sort})
		}
	}
	if r.bad != "" {
		return driver.Item{}, fault.New(fault.Corrupt, "attribute %q of item %s does not read back", r.bad, item.Key).
			WithHint("did somebody change it by hand?")
	}
	return item, nil
}

// reader reads attributes and remembers the first bad one.
type reader struct {
	attributes attributes
	bad        string
}

func (r *reader) fail(name string) {
	if r.bad == "" {
		r.bad = name
	}
}

func (r *reader) key() driver.Key {
	return driver.Key{Partition: r.text(attrPartition), Sort: r.text(attrSort)}
}

func (r *reader) text(name string) string {
	v, ok := r.attributes[name].(*types.AttributeValueMemberS)
	if !ok {
		r.fail(name)
		return ""
	}
	return v.Value
}

// number reads 0 where there is none.
func (r *reader) number(name string) int64 {
	if r.attributes[name] == nil {
		return 0
	}
	v, ok := r.attributes[name].(*types.AttributeValueMemberN)
	if !ok {
		r.fail(name)
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		r.fail(name)
	}
	return n
}

func (r *reader) data() []byte {
	data, ok := decodeData(r.attributes[attrData])
	if !ok {
		r.fail(attrData)
	}
	return data
}

// visible returns the item of attributes that a condition met: nil where there is none, or it has ended.
func (d *Driver) visible(a attributes, now int64) (*driver.Item, error) {
	if len(a) == 0 {
		return nil, nil
	}
	item, err := d.decode(a)
	if err != nil {
		return nil, err
	}
	if end := driver.ExpirySeconds(item.Expires); end != 0 && end <= now {
		return nil, nil
	}
	return &item, nil
}
