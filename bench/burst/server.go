package main

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// What the server allows, as Slack does for a webhook.
const (
	perSecond = 1.0
	burst     = 5.0
)

// server answers as Slack's incoming webhooks do. It can go away, in the middle of an answer, and come back.
type server struct {
	address string

	mu        sync.Mutex
	web       *http.Server
	budget    float64
	budgeted  time.Time
	dieAt     int      // posts that are taken before it dies in the middle of an answer; 0: never
	bodies    []string // of posts that were taken
	ambiguous []string // of these, those that were not answered
	refused   int
	away      chan struct{} // closed when it has died
}

func newServer(dieAt int) (*server, error) {
	s := &server{address: "127.0.0.1:0", budget: burst, budgeted: time.Now(), dieAt: dieAt, away: make(chan struct{})}
	return s, s.up()
}

// up begins to listen, at the address of before.
func (s *server) up() error {
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = listener.Addr().String()
	s.web = &http.Server{Handler: http.HandlerFunc(s.post), ReadHeaderTimeout: 10 * time.Second}
	web := s.web
	go func() { _ = web.Serve(listener) }()
	return nil
}

// down ends it with all its connections.
func (s *server) down() {
	s.mu.Lock()
	web := s.web
	s.mu.Unlock()
	_ = web.Close()
}

func (s *server) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	s.mu.Lock()
	now := time.Now()
	s.budget, s.budgeted = min(burst, s.budget+now.Sub(s.budgeted).Seconds()*perSecond), now
	if s.budget < 1 {
		s.refused++
		s.mu.Unlock()
		w.Header().Set("Retry-After", "1")
		http.Error(w, "rate_limited", http.StatusTooManyRequests)
		return
	}
	s.budget--
	s.bodies = append(s.bodies, string(body))
	dies := len(s.bodies) == s.dieAt
	if dies {
		s.ambiguous = append(s.ambiguous, string(body))
	}
	s.mu.Unlock()
	if dies {
		close(s.away)
		s.down()
		panic(http.ErrAbortHandler) // no answer
	}
	_, _ = io.WriteString(w, "ok")
}
