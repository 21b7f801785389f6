package eventbridge_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/event"
	"waggle/shared/eventbus/eventbridge"
	"waggle/shared/fault"
)

func TestEventsLeaveInBatchesOfTenAsTheContractSays(t *testing.T) {
	t.Parallel()
	w, p := setup(t, nil, taken())
	list := events(23)
	if err := p.Publish(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	want := []string{"1 2 3 4 5 6 7 8 9 10", "11 12 13 14 15 16 17 18 19 20", "21 22 23"}
	if diff := cmp.Diff(want, w.sent()); diff != "" {
		t.Error(diff)
	}
	first := w.requests[0].Entries[0]
	var detail event.Event
	if err := json.Unmarshal([]byte(first.Detail), &detail); err != nil || detail != list[0] {
		t.Errorf("detail %s, %v", first.Detail, err)
	}
	if first.EventBusName != "waggle-test" || first.Source != "waggle" || first.DetailType != "Run Status Change" || first.Time != float64(list[0].Time.Unix()) {
		t.Errorf("entry %+v", first)
	}
	if err := p.Publish(t.Context(), nil); err != nil || len(w.sent()) != 3 {
		t.Errorf("nothing was published by %d requests, %v", len(w.sent())-3, err)
	}
}

func TestARequestHasAMegabyteAtMost(t *testing.T) {
	t.Parallel()
	w, p := setup(t, nil, taken())
	list := events(4)
	list[0].Job, list[1].Job, list[2].Job = strings.Repeat("x", 600<<10), strings.Repeat("x", 600<<10), strings.Repeat("x", 2<<20)
	err := p.Publish(t.Context(), list)
	wantCode(t, err, fault.TooLarge, "event 3 has 2097", "1048576 are allowed (shorten")
	if diff := cmp.Diff([]string{"1", "2 4"}, w.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWhatWasRefusedIsSentAgain(t *testing.T) {
	t.Parallel()
	w, p := setup(t, nil, taken("2 ThrottlingException", "5 InternalFailure", "9 InternalException"), taken("5 ThrottlingException"), taken())
	if err := p.Publish(t.Context(), events(10)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 2 3 4 5 6 7 8 9 10", "2 5 9", "5"}, w.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestAnEventThatIsRefusedForGoodKeepsNoOtherBack(t *testing.T) {
	t.Parallel()
	w, p := setup(t, nil, taken("2 MalformedDetail", "3 ThrottlingException"), taken())
	err := p.Publish(t.Context(), events(12))
	wantCode(t, err, fault.Internal, "publish event 2", "MalformedDetail: no", "bug")
	if diff := cmp.Diff([]string{"1 2 3 4 5 6 7 8 9 10", "3", "11 12"}, w.sent()); diff != "" {
		t.Error(diff)
	}
}

func TestARequestThatFailsIsSentAgainAsAWhole(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]reply{
		"throttled": failing(400, "ThrottlingException"), "down": failing(500, "InternalException"), "unavailable": failing(503, ""), "dropped": dropped,
		"garbled": garbled, "silent": silent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := setup(t, &eventbridge.Options{TryTimeout: 200 * time.Millisecond}, trouble, trouble, taken())
			if err := p.Publish(t.Context(), events(2)); err != nil {
				t.Fatal(err)
			}
			sent := w.sent()
			if slices.ContainsFunc(sent, func(ids string) bool { return ids != "1 2" }) || len(sent) < 3 { // net/http repeats some of what was dropped by itself
				t.Errorf("sent %q", sent)
			}
		})
	}
}

func TestABusThatDoesNotRecoverIsAnErrorThatPassesWithinTheTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trouble reply
		code    fault.Code
		words   string
	}{
		"throttled":        {failing(400, "ThrottlingException"), fault.Throttled, "ThrottlingException: as it says"},
		"events throttled": {taken("1 ThrottlingException"), fault.Throttled, "ThrottlingException: no"},
		"down":             {failing(500, "InternalException"), fault.Unavailable, "InternalException"},
		"silent":           {silent, fault.Unavailable, "no answer within 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := setup(t, &eventbridge.Options{Timeout: 400 * time.Millisecond, TryTimeout: 50 * time.Millisecond}, c.trouble)
			began := time.Now()
			err := p.Publish(context.Background(), events(1))
			wantCode(t, err, c.code, "publish events", c.words)
			if took := time.Since(began); took > 5*time.Second || !fault.Retryable(err) {
				t.Errorf("after %s: %v", took, err)
			}
			// A caller whose own time has ended may come again as well: the end of a run does.
			ctx, stop := context.WithTimeout(context.Background(), 120*time.Millisecond)
			defer stop()
			if err := p.Publish(ctx, events(1)); !fault.Retryable(err) {
				t.Error(err)
			}
		})
	}
}

func TestPublishEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	_, p := setup(t, &eventbridge.Options{TryTimeout: time.Minute, Timeout: time.Minute}, func(w http.ResponseWriter, r *http.Request, _ request) {
		stop()
		<-r.Context().Done()
	})
	wantCode(t, p.Publish(ctx, events(1)), fault.Canceled, "publish events")
}

func TestWhatWaitingDoesNotChangeIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		code  fault.Code
		words string
	}{
		"AccessDeniedException":       {fault.Denied, "events:PutEvents"},
		"UnrecognizedClientException": {fault.Denied, "AWS_PROFILE"},
		"ValidationException":         {fault.Internal, "bug"},
		"ResourceNotFoundException":   {fault.NotFound, "waggle-test"},
	} {
		w, p := setup(t, nil, failing(400, code))
		wantCode(t, p.Publish(t.Context(), events(1)), want.code, code, want.words)
		if n := len(w.sent()); n != 1 {
			t.Errorf("%s: %d requests", code, n)
		}
	}
}

func TestOpenFindsABusThatIsNotThere(t *testing.T) {
	t.Parallel()
	described := func(w http.ResponseWriter, _ *http.Request, in request) {
		if in.Operation != "DescribeEventBus" || in.Name != "waggle-test" {
			t.Errorf("asked %+v", in)
		}
		_, _ = w.Write([]byte(`{"Name": "waggle-test"}`))
	}
	for name, c := range map[string]struct {
		replies []reply
		code    fault.Code
		words   string
	}{
		"there":            {[]reply{described}, "", ""},
		"there in a while": {[]reply{failing(500, "InternalException"), dropped, failing(400, "ThrottlingException"), described}, "", ""},
		"missing":          {[]reply{failing(400, "ResourceNotFoundException")}, fault.NotFound, "there is no event bus waggle-test"},
		"denied":           {[]reply{failing(400, "AccessDeniedException")}, fault.Denied, "events:DescribeEventBus"},
		"silent":           {[]reply{silent}, fault.Unavailable, "no answer within 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := eventbridge.Open(t.Context(), "waggle-test", &eventbridge.Options{Config: newWire(t, c.replies...).config(), Timeout: 2 * time.Second, TryTimeout: 50 * time.Millisecond})
			if c.words == "" && err == nil {
				return
			}
			wantCode(t, err, c.code, c.words)
		})
	}
	_, err := eventbridge.Open(t.Context(), "", nil)
	wantCode(t, err, fault.Invalid, "no event bus is named")
}
