package dynamodriver_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// found is a page of DynamoDB's with rows of partition p: sort keys, and the key of the last one where there are more.
func found(more bool, rows ...string) reply {
	items, last := make([]string, len(rows)), ""
	for i, row := range rows {
		sort, rest, _ := strings.Cut(row, " ")
		items[i] = fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"S":%q},"version":{"N":"1"}%s}`, sort, rest)
		last = fmt.Sprintf(`,"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":%q}}`, sort)
	}
	if !more {
		last = ""
	}
	return ok(`{"Items":[%s]%s}`, strings.Join(items, ","), last)
}

const expired = ` ,"expires":{"N":"900"}`

func sorts(page driver.Page) (list []string) {
	for _, item := range page.Items {
		list = append(list, item.Sort)
	}
	return list
}

func query(t *testing.T, d *dynamodriver.Driver, q driver.Query, more bool, want ...string) driver.Page {
	t.Helper()
	page, err := d.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sorts(page), want) || (page.Cursor != "") != more {
		t.Fatalf("found %q with cursor %q, want %q, more: %t", sorts(page), page.Cursor, want, more)
	}
	return page
}

func TestAQueryOfTheTableIsConsistentAndLeavesToOut(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, found(false, "b", "c", "d"), found(false, "b"), found(false, "d"), found(false))
	const common = `"TableName":"runs","ConsistentRead":true,"ReturnConsumedCapacity":"INDEXES"`
	query(t, d, driver.Query{Partition: "p", From: "b", To: "d", Limit: 3}, false, "b", "c")
	w.wantSent(0, "Query", `{`+common+`,"ScanIndexForward":true,"Limit":3,"KeyConditionExpression":"#p = :p AND #s BETWEEN :from AND :to",
		"ExpressionAttributeNames":{"#p":"pk","#s":"sk"},"ExpressionAttributeValues":{":p":{"S":"p"},":from":{"S":"b"},":to":{"S":"d"}}}`)
	query(t, d, driver.Query{Partition: "p", To: "d", Descending: true}, false, "b")
	w.wantSent(1, "Query", `{`+common+`,"ScanIndexForward":false,"KeyConditionExpression":"#p = :p AND #s < :to",
		"ExpressionAttributeNames":{"#p":"pk","#s":"sk"},"ExpressionAttributeValues":{":p":{"S":"p"},":to":{"S":"d"}}}`)
	query(t, d, driver.Query{Partition: "p", From: "d"}, false, "d")
	w.wantSent(2, "Query", `{`+common+`,"ScanIndexForward":true,"KeyConditionExpression":"#p = :p AND #s >= :from",
		"ExpressionAttributeNames":{"#p":"pk","#s":"sk"},"ExpressionAttributeValues":{":p":{"S":"p"},":from":{"S":"d"}}}`)
	query(t, d, driver.Query{Partition: "p"}, false)
	w.wantSent(3, "Query", `{`+common+`,"ScanIndexForward":true,"KeyConditionExpression":"#p = :p",
		"ExpressionAttributeNames":{"#p":"pk"},"ExpressionAttributeValues":{":p":{"S":"p"}}}`)
}

func TestAQueryOfAnIndexStartsBehindItsCursorByTheItemsKey(t *testing.T) {
	t.Parallel()
	const item = `{"pk":{"S":"RUN#1"},"sk":{"S":"META"},"version":{"N":"1"},"due_p":{"S":"3"},"due_s":{"S":"10:00\u0000RUN#1\u0000META"}}`
	w, d := setup(t, nil, ok(`{"Items":[%s],"LastEvaluatedKey":{"pk":{"S":"RUN#1"},"sk":{"S":"META"},"due_p":{"S":"3"},"due_s":{"S":"10:00\u0000RUN#1\u0000META"}}}`, item), found(false))
	q := driver.Query{Index: "due", Partition: "3", To: "11:00", Limit: 1}
	page := query(t, d, q, true, "META")
	if want := (driver.Entry{Index: "due", Partition: "3", Sort: "10:00"}); !slices.Equal(page.Items[0].Entries, []driver.Entry{want}) {
		t.Errorf("entries are %v", page.Items[0].Entries)
	}
	q.Cursor = page.Cursor
	query(t, d, q, false)
	w.wantSent(1, "Query", `{"TableName":"runs","IndexName":"due","ReturnConsumedCapacity":"INDEXES","ScanIndexForward":true,"Limit":1,
		"ExclusiveStartKey":{"pk":{"S":"RUN#1"},"sk":{"S":"META"},"due_p":{"S":"3"},"due_s":{"S":"10:00\u0000RUN#1\u0000META"}},
		"KeyConditionExpression":"#p = :p AND #s < :to","ExpressionAttributeNames":{"#p":"due_p","#s":"due_s"},
		"ExpressionAttributeValues":{":p":{"S":"3"},":to":{"S":"11:00"}}}`)
}

func TestAPageIsFilledPastExpiredItems(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, found(true, "a", "b"+expired, "c"+expired), found(true, "d"+expired), found(true, "e", "f"))
	query(t, d, driver.Query{Partition: "p", Limit: 3}, true, "a", "e", "f")
	for i, limit := range []float64{3, 2, 2} {
		if body, _ := w.sent()[i].Body.(map[string]any); body["Limit"] != limit {
			t.Errorf("request %d has the limit %v, want %v", i, body["Limit"], limit)
		}
	}
	_, d = setup(t, nil, found(true, "a"+expired), found(true, "b", "c"))
	query(t, d, driver.Query{Partition: "p"}, true, "b", "c")
}

func TestAPageOfExpiredItemsAloneEndsAtLastWithACursor(t *testing.T) {
	t.Parallel()
	var replies []reply
	for i := range 8 {
		replies = append(replies, found(true, fmt.Sprint(i)+expired))
	}
	w, d := setup(t, nil, append(replies, found(false, "9"))...)
	q := driver.Query{Partition: "p", Limit: 1}
	q.Cursor = query(t, d, q, true).Cursor
	query(t, d, q, false, "9")
	body, _ := w.sent()[8].Body.(map[string]any)
	if key := fmt.Sprint(body["ExclusiveStartKey"]); key != "map[pk:map[S:p] sk:map[S:7]]" {
		t.Errorf("the last request starts at %s", key)
	}
}

func TestAPageOfMoreThan1MBIsCut(t *testing.T) {
	t.Parallel()
	body := ` ,"body":{"B":"` + base64.StdEncoding.EncodeToString(make([]byte, 390_000)) + `"}`
	w, d := setup(t, nil, found(false, "a"+body, "b"+body, "c"+body), found(false, "c"+body))
	q := driver.Query{Partition: "p"}
	q.Cursor = query(t, d, q, true, "a", "b").Cursor
	query(t, d, q, false, "c")
	last, _ := w.sent()[1].Body.(map[string]any)
	if key := fmt.Sprint(last["ExclusiveStartKey"]); key != "map[pk:map[S:p] sk:map[S:b]]" {
		t.Errorf("the second request starts at %s", key)
	}
}

// TestBoundsThatDynamoDBRefusesAreNotSent: it takes no BETWEEN the wrong way round, and no start outside of the bounds.
func TestBoundsThatDynamoDBRefusesAreNotSent(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil)
	at := func(sort string) string {
		return driver.Query{Partition: "p"}.CursorAfter(driver.Position{Sort: sort, Key: driver.Key{Partition: "p", Sort: sort}})
	}
	for _, q := range []driver.Query{
		{From: "b", To: "b"}, {From: "c", To: "b"},
		{To: "b", Cursor: at("b")}, {From: "b", Descending: true, Cursor: at("a")},
	} {
		q.Partition = "p"
		query(t, d, q, false)
	}
	w, d := setup(t, nil, found(false, "b"), found(false, "b"))
	query(t, d, driver.Query{Partition: "p", From: "b", Cursor: at("a")}, false, "b")
	query(t, d, driver.Query{Partition: "p", To: "c", Descending: true, Cursor: at("d")}, false, "b")
	for _, request := range w.sent() {
		if body, _ := request.Body.(map[string]any); body["ExclusiveStartKey"] != nil {
			t.Errorf("a start was sent: %v", body)
		}
	}
}

func TestAnIndexThatTheTableHasNotIsInvalid(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil)
	_, err := d.Query(t.Context(), driver.Query{Index: "job", Partition: "x"})
	wantCode(t, err, fault.Invalid, `"job"`, "due, all")
	item := driver.Item{Key: meta, Entries: []driver.Entry{{Index: "job", Partition: "x", Sort: "y"}}}
	wantCode(t, d.Put(t.Context(), item, driver.Any), fault.Invalid, `"job"`)
	wantCode(t, d.PutAll(t.Context(), []driver.Item{item}), fault.Invalid, `"job"`)
	wantCode(t, d.Write(t.Context(), []driver.Op{{Put: &item}, ops()[1]}), fault.Invalid, `"job"`)
}

func TestAnEntryAndItsItemsKeyTogetherFitASortKey(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil, ok(`{}`))
	item := driver.Item{Key: meta, Entries: []driver.Entry{{Index: "due", Partition: "x", Sort: strings.Repeat("y", 1024-len("RUN#1")-len("META")-2)}}}
	if err := d.Put(t.Context(), item, driver.Any); err != nil {
		t.Fatal(err)
	}
	item.Entries[0].Sort += "y"
	wantCode(t, d.Put(t.Context(), item, driver.Any), fault.Invalid, "1025 bytes")
}
