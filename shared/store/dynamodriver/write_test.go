package dynamodriver_test

import (
	"testing"

	"time"
	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

func ops() []driver.Op {
	put, gone, added := row(2), driver.Key{Partition: "QUEUE", Sort: "1"}, driver.Item{Key: driver.Key{Partition: "LIMIT#a", Sort: "META"}}
	return []driver.Op{{Put: &put, If: driver.IfVersion(1)}, {Delete: &gone, If: driver.Any}, {Put: &added, If: driver.IfAbsent}}
}

func canceled(reasons string) reply {
	return failing(400, "TransactionCanceledException", "Transaction cancelled", `"CancellationReasons":[`+reasons+`]`)
}

const none = `{"Code":"None"}`

// token returns the request's token, which is random, and takes it out.
func (s *wire) token(n int) string {
	body, _ := s.sent()[n].Body.(map[string]any)
	token, _ := body["ClientRequestToken"].(string)
	delete(body, "ClientRequestToken")
	if token == "" {
		s.t.Errorf("request %d has no token", n)
	}
	return token
}

func TestWriteIsOneTransaction(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, ok(`{}`))
	if err := d.Write(t.Context(), ops()); err != nil {
		t.Fatal(err)
	}
	w.token(0)
	const part = `"ReturnValuesOnConditionCheckFailure":"ALL_OLD","TableName":"runs"`
	w.wantSent(0, "TransactWriteItems", `{"ReturnConsumedCapacity":"INDEXES","TransactItems":[
		{"Put":{`+part+`,"Item":{`+metaKey+`,"version":{"N":"2"},"data":{"M":{"owner":{"S":"me"}}}},`+ifVersion1+`}},
		{"Delete":{`+part+`,"Key":{"pk":{"S":"QUEUE"},"sk":{"S":"1"}}}},
		{"Put":{`+part+`,"Item":{"pk":{"S":"LIMIT#a"},"sk":{"S":"META"},"version":{"N":"0"}},`+ifAbsent+`}}]}`)
}

func TestAWriteOfOneOpIsNoTransaction(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, ok(`{}`), ok(`{}`))
	for _, op := range ops()[:2] {
		if err := d.Write(t.Context(), []driver.Op{op}); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := w.sent()[0].Operation, w.sent()[1].Operation; a != "PutItem" || b != "DeleteItem" {
		t.Fatalf("sent %s, %s", a, b)
	}
}

func TestTheFirstFailedConditionIsTheConflict(t *testing.T) {
	t.Parallel()
	const failed = `{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"`
	for _, c := range []struct {
		reasons string
		key     driver.Key
		version int64
	}{
		{failed + `,"Item":` + other + `},` + none + `,` + failed + `}`, meta, 7},
		{none + `,` + none + `,` + failed + `}`, ops()[2].Key(), 0},
		{`{"Code":"TransactionConflict"},` + none + `,` + failed + `}`, ops()[2].Key(), 0},
	} {
		_, d := setup(t, nil, canceled(c.reasons))
		wantConflict(t, d.Write(t.Context(), ops()), c.key, c.version)
	}
}

func TestATransactionInAnothersWayIsSentAgainWithItsToken(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]reply{
		"conflict":    canceled(none + `,{"Code":"TransactionConflict"},` + none),
		"throttled":   canceled(none + `,` + none + `,{"Code":"ThrottlingError"}`),
		"in progress": failing(400, "TransactionInProgressException", ""),
		"500":         down,
		"lost answer": dropped,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, d := setup(t, nil, failure, ok(`{}`))
			if err := d.Write(t.Context(), ops()); err != nil {
				t.Fatal(err)
			}
			if a, b := w.token(0), w.token(1); a != b {
				t.Errorf("the tokens are %s and %s", a, b)
			}
		})
	}
}

func TestATokenThatWasUsedForOtherWordsIsReplaced(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, dropped, failing(400, "IdempotentParameterMismatchException", ""),
		canceled(`{"Code":"ConditionalCheckFailed","Item":`+mine+`},`+none+`,`+none))
	wantConflict(t, d.Write(t.Context(), ops()), meta, 2)
	if a, b, c := w.token(0), w.token(1), w.token(2); a != b || b == c {
		t.Errorf("the tokens are %s, %s and %s", a, b, c)
	}
}

func TestAWriteThatCannotBeSaysWhy(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil, canceled(none+`,{"Code":"ValidationError","Message":"Item size has exceeded the maximum allowed size"},`+none))
	wantCode(t, d.Write(t.Context(), ops()), fault.TooLarge, "write RUN#1/META and 2 more", "part 1")
	busy := canceled(none + `,{"Code":"TransactionConflict"},` + none)
	w, d := setup(t, &dynamodriver.Options{Timeout: 400 * time.Millisecond}, busy, busy, busy, busy, busy, busy, busy, busy)
	wantCode(t, d.Write(t.Context(), ops()), fault.Throttled, "part 1: TransactionConflict")
	w.mu.Lock()
	w.replies = nil
	w.mu.Unlock()
}
