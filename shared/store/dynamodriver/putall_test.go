package dynamodriver_test

import (
	"fmt"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

func rows(n, bytes int) []driver.Item {
	items := make([]driver.Item, n)
	for i := range items {
		items[i] = driver.Item{Key: driver.Key{Partition: "p", Sort: fmt.Sprintf("%02d", i)}, Body: make([]byte, bytes)}
	}
	return items
}

// put is one part of a batch: the rows have no body there.
func put(n int) string {
	return fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"S":"%02d"},"version":{"N":"0"}}}}`, n)
}

func TestPutAllSendsWhatWasLeftUndoneAgain(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, ok(`{"UnprocessedItems":{"runs":[%s,%s]}}`, put(1), put(2)), throttled, ok(`{"UnprocessedItems":{"runs":[%s]}}`, put(2)), ok(`{"UnprocessedItems":{}}`))
	if err := d.PutAll(t.Context(), rows(3, 0)); err != nil {
		t.Fatal(err)
	}
	for i, body := range []string{put(0) + `,` + put(1) + `,` + put(2), put(1) + `,` + put(2), put(1) + `,` + put(2), put(2)} {
		w.wantSent(i, "BatchWriteItem", `{"RequestItems":{"runs":[`+body+`]},"ReturnConsumedCapacity":"INDEXES"}`)
	}
}

func TestPutAllGivesUpWhereNothingIsWritten(t *testing.T) {
	t.Parallel()
	undone := ok(`{"UnprocessedItems":{"runs":[%s,%s]}}`, put(0), put(1))
	w, d := setup(t, &dynamodriver.Options{Timeout: 400 * time.Millisecond}, undone, undone, undone, undone, undone, undone, undone, undone)
	wantCode(t, d.PutAll(t.Context(), rows(2, 0)), fault.Throttled, "put p/00 and 1 more", "2 items are left unwritten")
	w.mu.Lock()
	w.replies = nil
	w.mu.Unlock()
}

func TestARequestOfPutAllHoldsAtMost25ItemsAnd4MB(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		items, bytes int
		want         []int
	}{
		{60, 0, []int{25, 25, 10}},
		{23, 400_000, []int{10, 10, 3}},
	} {
		var replies []reply
		for range c.want {
			replies = append(replies, ok(`{}`))
		}
		w, d := setup(t, nil, replies...)
		if err := d.PutAll(t.Context(), rows(c.items, c.bytes)); err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			body, _ := w.sent()[i].Body.(map[string]any)
			tables, _ := body["RequestItems"].(map[string]any)
			if list, _ := tables["runs"].([]any); len(list) != want {
				t.Errorf("request %d holds %d items, want %d", i, len(list), want)
			}
		}
	}
}
