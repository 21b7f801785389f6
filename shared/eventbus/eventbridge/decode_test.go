package eventbridge_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/event"
	"waggle/shared/eventbus/eventbridge"
	"waggle/shared/fault"
)

// samples are the envelopes of the contract.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../../events/*/v1/samples/*.json")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		if all[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestEverySampleOfTheContractIsDecoded(t *testing.T) {
	t.Parallel()
	seen := map[event.Type]bool{}
	for path, data := range samples(t) {
		e, err := eventbridge.Decode(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var whole struct{ Detail event.Event }
		if err := json.Unmarshal(data, &whole); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(whole.Detail, e); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		seen[e.Type] = true
	}
	for _, kind := range event.Types() {
		if !seen[kind] {
			t.Errorf("no sample of %s", kind)
		}
	}
}

func TestWhatIsNotKnownIsANamedError(t *testing.T) {
	t.Parallel()
	const good = `{"version": "0", "source": "waggle", "detail-type": "Run Status Change", "detail": {"id": "a#1", "type": "Run Status Change", "status": "STARTED", "of_later": 1}}`
	if e, err := eventbridge.Decode([]byte(good)); err != nil || e.ID != "a#1" {
		t.Fatalf("%+v, %v", e, err)
	}
	for change, want := range map[string]struct {
		code  fault.Code
		words string
	}{
		`"version": "0"=>"version": "1"`:                                                       {fault.Incompatible, `its version is "1"`},
		`"source": "waggle"=>"source": "aws.s3"`:                                               {fault.Incompatible, `its source is "aws.s3"`},
		`"detail-type": "Run Status Change"=>"detail-type": "Run Status Change v2"`:            {fault.Incompatible, `its detail-type is "Run Status Change v2"`},
		`"a#1", "type": "Run Status Change"=>"a#1", "type": "Asset Materialized"`:              {fault.Incompatible, `its type is "Asset Materialized"`},
		`"id": "a#1"=>"ident": "a#1"`:                                                          {fault.Corrupt, "has no id"},
		`"STARTED"=>17`:                                                                        {fault.Corrupt, "read the detail"},
		`{"version"=>["version"`:                                                               {fault.Corrupt, "read an event of EventBridge"},
		`{"id": "a#1", "type": "Run Status Change", "status": "STARTED", "of_later": 1}=>null`: {fault.Incompatible, `its type is ""`},
	} {
		from, to, _ := strings.Cut(change, "=>")
		if !strings.Contains(good, from) {
			t.Fatal(from)
		}
		_, err := eventbridge.Decode([]byte(strings.Replace(good, from, to, 1)))
		wantCode(t, err, want.code, want.words)
		if errors.Is(err, eventbridge.ErrUnknown) != (want.code == fault.Incompatible) || errors.Is(err, eventbridge.ErrUnknown) != strings.Contains(err.Error(), "(deploy the version that published it") {
			t.Errorf("%s: %v", change, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := eventbridge.Decode(data)
		if err == nil && (e.ID == "" || e.Type == "") {
			t.Errorf("%+v", e)
		}
		if err != nil && !errors.Is(err, fault.Incompatible) && !errors.Is(err, fault.Corrupt) {
			t.Error(err)
		}
	})
}
