package dynamodriver_test

import (
	"context"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

func TestATransientFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]reply{
		"500": down, "503": failing(503, "ServiceUnavailable", ""), "throttled": throttled,
		"throttled by another name": failing(400, "ThrottlingException", ""),
		"too many requests":         failing(400, "RequestLimitExceeded", ""),
		"a transaction in the way":  failing(400, "TransactionConflictException", ""),
		"a replica in the way":      failing(400, "ReplicatedWriteConflictException", ""),
		"no answer":                 silent, "connection closed": dropped, "answer broken off": broken,
		"answer is not JSON": ok(`<html>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := &dynamodriver.Options{}
			if name == "no answer" {
				opts.TryTimeout = 500 * time.Millisecond
			}
			w, d := setup(t, opts, failure, ok(`{}`))
			if err := d.Put(t.Context(), row(2), driver.IfAbsent); err != nil {
				t.Fatal(err)
			}
			if n := len(w.sent()); n != 2 {
				t.Fatalf("%d requests", n)
			}
		})
	}
}

func TestAnAnswerThatWasLostAfterTheWriteIsAConflictWithTheOwnItem(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil, dropped, failing(400, "ConditionalCheckFailedException", "", `"Item":`+mine))
	wantConflict(t, d.Put(t.Context(), row(2), driver.IfVersion(1)), meta, 2)
}

func TestTheTimeForAllTriesEndsThemWithWhatTheLastOneSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure reply
		code    fault.Code
		words   string
	}{
		"throttled": {throttled, fault.Throttled, "slow down"},
		"500":       {down, fault.Unavailable, "try again"},
		"silent":    {silent, fault.Unavailable, "no answer within"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			replies := make([]reply, 8)
			for i := range replies {
				replies[i] = c.failure
			}
			w, d := setup(t, &dynamodriver.Options{Timeout: 500 * time.Millisecond, TryTimeout: 100 * time.Millisecond}, replies...)
			began := time.Now()
			_, err := d.Get(t.Context(), meta)
			wantCode(t, err, c.code, "get RUN#1/META", c.words)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			w.mu.Lock()
			w.replies = nil // how many are tried is chance
			w.mu.Unlock()
		})
	}
}

func TestACallerWhoseContextEndsWaitsNoLonger(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil, silent)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := d.Get(ctx, meta)
	wantCode(t, err, fault.Canceled, "get RUN#1/META")
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	w, d := setup(t, nil, failing(400, "ValidationException", "Invalid KeyConditionExpression"))
	_, err := d.Get(t.Context(), meta)
	wantCode(t, err, fault.Internal)
	if n := len(w.sent()); n != 1 {
		t.Fatalf("%d requests", n)
	}
}

func TestPausesGrowToASecondAndAreDrawn(t *testing.T) {
	t.Parallel()
	for attempt, most := range map[int]time.Duration{1: 50, 2: 100, 3: 200, 4: 400, 5: 800, 6: 1000, 7: 1000, 100: 1000} {
		seen := map[time.Duration]bool{}
		for range 20 {
			p := dynamodriver.Pause(attempt)
			if p < 0 || p > most*time.Millisecond {
				t.Errorf("pause %d is %s", attempt, p)
			}
			seen[p] = true
		}
		if len(seen) < 10 {
			t.Errorf("pause %d is hardly drawn", attempt)
		}
	}
}

// TestAConnectionIsKept counts connections: where the SDK's bodies went out as they are, many requests cost one each.
func TestAConnectionIsKept(t *testing.T) {
	t.Parallel()
	const requests = 200
	replies := make([]reply, requests)
	for i := range replies {
		replies[i] = ok(`{}`)
	}
	w, d := setup(t, nil, replies...)
	for range requests {
		if err := d.Put(t.Context(), row(1), driver.Any); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.connections.Load(); n != 1 {
		t.Errorf("%d requests took %d connections", requests, n)
	}
}
