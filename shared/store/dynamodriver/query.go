package dynamodriver

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/store/driver"
)

// rounds is how many requests one page may take where DynamoDB's own pages hold expired items only, or fewer than
// Limit of others. After that the page is given as it is, with a cursor.
const rounds = 8

// Query implements driver.Driver. A query of an index is not consistent, at half the price.
func (d *Driver) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	if err := driver.CheckQuery(q); err != nil {
		return driver.Page{}, err
	}
	if q.Index != "" {
		if err := d.checkIndex(q.Index); err != nil {
			return driver.Page{}, err
		}
	}
	after, resumed, err := q.After()
	if err != nil {
		return driver.Page{}, err
	}
	op := strings.TrimSpace("query "+q.Index) + " " + q.Partition
	w := newWalk(q, after, resumed)
	if w.over {
		return w.page, d.usable(ctx, op)
	}
	for round := 0; round < rounds && !w.full && !w.over; round++ {
		if err := d.do(ctx, op, func(ctx context.Context) error { return d.turn(ctx, w) }); err != nil {
			return driver.Page{}, err
		}
	}
	if !w.over {
		w.page.Cursor = q.CursorAfter(w.last)
	}
	return w.page, nil
}

// walk is the way through a query's items.
type walk struct {
	q     driver.Query
	page  driver.Page
	bytes int
	start attributes      // where the next request starts; nil: at the first item
	last  driver.Position // of the item that was looked at last
	over  bool            // there are no more items
	full  bool            // the page takes no more
}

// newWalk starts behind the cursor. DynamoDB refuses a start outside of the bounds (a caller may have changed
// them) and bounds the wrong way round.
func newWalk(q driver.Query, after driver.Position, resumed bool) *walk {
	w := &walk{q: q, over: q.To != "" && q.To <= q.From}
	if !resumed {
		return w
	}
	w.last = after
	below, above := after.Sort < q.From, q.To != "" && after.Sort >= q.To
	switch {
	case below && q.Descending, above && !q.Descending:
		w.over = true
	case !below && !above:
		w.start = w.startAt(after)
	}
	return w
}

func (w *walk) startAt(p driver.Position) attributes {
	start := keyOf(p.Key)
	if w.q.Index != "" {
		partition, sort := indexAttributes(w.q.Index)
		start[partition], start[sort] = text(w.q.Partition), text(placeIn(p))
	}
	return start
}

// turn makes one request and takes the items that it found.
func (d *Driver) turn(ctx context.Context, w *walk) error {
	in := w.input()
	in.TableName = &d.table
	out, err := d.client.Query(ctx, in)
	if err != nil {
		return err
	}
	d.usage.read(out.ConsumedCapacity)
	now := d.Now().Unix()
	for _, a := range out.Items {
		if err := d.take(w, a, now); err != nil || w.full {
			return err
		}
	}
	w.over = len(out.LastEvaluatedKey) == 0
	if !w.over {
		if w.last, err = w.position(out.LastEvaluatedKey); err != nil {
			return err
		}
		w.start = out.LastEvaluatedKey
	}
	w.full = w.full || w.q.Limit == 0 && len(w.page.Items) > 0 || w.q.Limit > 0 && len(w.page.Items) == w.q.Limit
	return nil
}

// take adds an item to the page, if it is one to show. Where it does not fit any more the page is full.
func (d *Driver) take(w *walk, a attributes, now int64) error {
	item, err := d.visible(a, now)
	if err != nil {
		return err
	}
	place, err := w.position(a)
	if err != nil {
		return err
	}
	if item != nil && !(w.q.To != "" && place.Sort >= w.q.To) {
		if w.bytes += driver.Size(item); w.bytes > driver.MaxPage {
			w.full = true
			return nil
		}
		w.page.Items = append(w.page.Items, *item)
	}
	w.last = place
	return nil
}

// position reads an item's place in the query's order from its attributes.
func (w *walk) position(a attributes) (driver.Position, error) {
	r := reader{attributes: a}
	p := driver.Position{Key: r.key()}
	p.Sort = p.Key.Sort
	if w.q.Index != "" {
		_, sort := indexAttributes(w.q.Index)
		p.Sort, _, _ = strings.Cut(r.text(sort), "\x00")
	}
	if r.bad != "" {
		return p, errForeign
	}
	return p, nil
}

// input is the request of the next turn. DynamoDB takes one condition on the sort key, and BETWEEN includes both ends:
// in an index no key equals To, since it ends with the item's; in the table one may, and take leaves it out.
func (w *walk) input() *dynamodb.QueryInput {
	partition, sort := attrPartition, attrSort
	in := &dynamodb.QueryInput{
		ScanIndexForward:       aws.Bool(!w.q.Descending),
		ExclusiveStartKey:      w.start,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	}
	if w.q.Index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = &w.q.Index
		partition, sort = indexAttributes(w.q.Index)
	}
	if w.q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(w.q.Limit-len(w.page.Items), 1<<30)))
	}
	expression := "#p = :p"
	in.ExpressionAttributeNames = map[string]string{"#p": partition}
	in.ExpressionAttributeValues = attributes{":p": text(w.q.Partition)}
	switch {
	case w.q.From != "" && w.q.To != "":
		expression += " AND #s BETWEEN :from AND :to"
	case w.q.From != "":
		expression += " AND #s >= :from"
	case w.q.To != "":
		expression += " AND #s < :to"
	}
	if w.q.From != "" || w.q.To != "" {
		in.ExpressionAttributeNames["#s"] = sort
	}
	if w.q.From != "" {
		in.ExpressionAttributeValues[":from"] = text(w.q.From)
	}
	if w.q.To != "" {
		in.ExpressionAttributeValues[":to"] = text(w.q.To)
	}
	in.KeyConditionExpression = &expression
	return in
}
