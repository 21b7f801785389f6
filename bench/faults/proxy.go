package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// tryTimeout is how long the driver waits for one answer.
const tryTimeout = 300 * time.Millisecond

// kind is what happens to a request.
type kind string

// The faults. A request has at most one.
const (
	throttled   kind = "throttled"   // refused, not done
	failed      kind = "failed"      // 500, not done
	silent      kind = "silent"      // no answer, not done
	late        kind = "late"        // no answer; done some time after the caller gave it up
	lost        kind = "lost"        // done, no answer
	dropped     kind = "dropped"     // done, the connection is closed instead of an answer
	cut         kind = "cut"         // done, the answer breaks off
	unprocessed kind = "unprocessed" // a batch of which a part is done
	crowded     kind = "crowded"     // a transaction refused for another, not done
	outage      kind = "outage"      // 500 for a while, not done
)

// odds are out of a thousand requests. Those of the last two kinds are of the requests that they fit.
var odds = []struct {
	kind kind
	of   uint64
}{{throttled, 40}, {failed, 30}, {silent, 6}, {late, 12}, {lost, 6}, {dropped, 30}, {cut, 15}, {outage, 1}, {unprocessed, 200}, {crowded, 200}}

const longestOutage = time.Second

// proxy stands between the SDK and DynamoDB Local.
type proxy struct {
	endpoint string
	target   string
	seed     uint64
	server   *http.Server
	client   *http.Client
	delayed  sync.WaitGroup

	mu    sync.Mutex
	count int64
	kinds map[kind]int64
	back  time.Time // when the outage is over
}

func startProxy(target string, seed uint64) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{endpoint: "http://" + listener.Addr().String(), target: target, seed: seed, kinds: map[kind]int64{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// Close ends it when all that was delayed is done. Closing twice does nothing.
func (p *proxy) Close() {
	_ = p.server.Close()
	p.delayed.Wait()
}

func (p *proxy) requests() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func (p *proxy) faults() (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.kinds {
		n += k
	}
	return n
}

func (p *proxy) counts() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, k := range slices.Sorted(maps.Keys(p.kinds)) {
		list = append(list, fmt.Sprintf("%d %s", p.kinds[k], k))
	}
	return strings.Join(list, ", ")
}

// draw chooses what happens to the next request. Each has chances of its own, by its number.
func (p *proxy) draw(operation string) (kind, *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	chance := rand.New(rand.NewPCG(p.seed, uint64(p.count)))
	k := kind("")
	if time.Now().Before(p.back) {
		k = outage
	}
	for _, o := range odds {
		fits := o.kind != unprocessed && o.kind != crowded ||
			o.kind == unprocessed && operation == "BatchWriteItem" || o.kind == crowded && operation == "TransactWriteItems"
		if k == "" && fits && chance.Uint64N(1000) < o.of {
			k = o.kind
			if k == outage {
				p.back = time.Now().Add(time.Duration(chance.Int64N(int64(longestOutage))))
			}
		}
	}
	if k != "" {
		p.kinds[k]++
	}
	return k, chance
}

// ServeHTTP is one request with its fault, if any.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	k, chance := p.draw(operation)
	switch k {
	case throttled:
		refuse(w, 400, "ProvisionedThroughputExceededException", "")
	case failed, outage:
		refuse(w, 500, "InternalServerError", "")
	case crowded:
		refuse(w, 400, "TransactionCanceledException", `,"CancellationReasons":[`+crowd(body)+`]`)
	case silent:
		<-r.Context().Done()
	case late:
		pause := tryTimeout + time.Duration(chance.Int64N(int64(tryTimeout)))
		p.delayed.Go(func() {
			time.Sleep(pause)
			_, _, _ = p.forward(context.Background(), r.Header, body)
		})
		<-r.Context().Done()
	case lost:
		_, _, _ = p.forward(context.Background(), r.Header, body)
		<-r.Context().Done()
	case dropped:
		_, _, _ = p.forward(context.Background(), r.Header, body)
		panic(http.ErrAbortHandler)
	case cut:
		_, answer, _ := p.forward(context.Background(), r.Header, body)
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)+1))
		_, _ = w.Write(answer[:len(answer)/2])
		panic(http.ErrAbortHandler)
	case unprocessed:
		part, rest := split(body, chance)
		if part != nil {
			if status, answer, err := p.forward(r.Context(), r.Header, part); err != nil || status != http.StatusOK {
				give(w, status, answer)
				return
			}
		}
		give(w, http.StatusOK, rest)
	default:
		status, answer, err := p.forward(r.Context(), r.Header, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		give(w, status, answer)
	}
}

// forward does a request and returns its answer whole.
func (p *proxy) forward(ctx context.Context, header http.Header, body []byte) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.target, bytes.NewReader(body))
	if err != nil {
		return http.StatusBadGateway, nil, err
	}
	request.Header = header.Clone()
	response, err := p.client.Do(request)
	if err != nil {
		return http.StatusBadGateway, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func give(w http.ResponseWriter, status int, answer []byte) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func refuse(w http.ResponseWriter, status int, code, more string) {
	give(w, status, fmt.Appendf(nil, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"injected"%s}`, code, more))
}

// crowd is a reason for each part of a transaction: the last one is in another's way.
func crowd(body []byte) string {
	var in struct{ TransactItems []json.RawMessage }
	_ = json.Unmarshal(body, &in)
	reasons := slices.Repeat([]string{`{"Code":"None"}`}, max(len(in.TransactItems), 1))
	reasons[len(reasons)-1] = `{"Code":"TransactionConflict","Message":"injected"}`
	return strings.Join(reasons, ",")
}

// split takes some requests out of a batch, at least one, and returns what is left of the batch (nil: nothing) and the answer
// that says so.
func split(body []byte, chance *rand.Rand) (part, answer []byte) {
	var in map[string]json.RawMessage
	var tables map[string][]json.RawMessage
	if json.Unmarshal(body, &in) != nil || json.Unmarshal(in["RequestItems"], &tables) != nil || len(tables) != 1 {
		return body, []byte(`{}`)
	}
	rest, done := map[string][]json.RawMessage{}, 0
	for name, list := range tables {
		chance.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		done = chance.IntN(len(list))
		tables[name], rest[name] = list[:done], list[done:]
	}
	answer, _ = json.Marshal(map[string]any{"UnprocessedItems": rest})
	if done == 0 {
		return nil, answer
	}
	in["RequestItems"], _ = json.Marshal(tables)
	part, _ = json.Marshal(in)
	return part, answer
}
