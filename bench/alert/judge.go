package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/bench/figures"
	"waggle/bench/receiver"
	"waggle/shared/embedded"
	"waggle/shared/run"
	"waggle/shared/store"
)

// times are those of one failure, all after the time that is stored with the event.
type times struct {
	stored, evaluated, sending, received, mailed time.Duration
}

// judge compares what came in with what is stored: one post and one mail for each failure, one mail for each success, nothing else.
func judge(ctx context.Context, home string, failed []run.ID, inbox *receiver.Receiver) (all []times, err error) {
	s, err := embedded.Open(ctx, home, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	posts, mails, refused := inbox.Received()
	if len(refused) > 0 || len(posts) != len(failed) || len(mails) != 2*len(failed) {
		return nil, fmt.Errorf("%d posts and %d mails came in for %d failures and as many successes; refused: %q", len(posts), len(mails), len(failed), refused)
	}
	sent, err := s.Messages(ctx, slack.Definition().Name, time.Time{}, 2*len(failed))
	if err != nil {
		return nil, err
	}
	for _, id := range failed {
		rows, err := s.SensorEventsOf(ctx, "on_run_failure", id)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(sent, func(m store.Message) bool { return len(m.Outs) == 1 && m.Outs[0].Run == id })
		if len(rows) != 1 || at < 0 || len(sent[at].Outs[0].History) != 1 {
			return nil, fmt.Errorf("run %s has %d events and the message %+v", id, len(rows), sent[max(0, at)])
		}
		post, err := theOne(posts, id)
		if err != nil {
			return nil, fmt.Errorf("posts: %w", err)
		}
		mail, err := theOne(mails, id)
		if err != nil {
			return nil, fmt.Errorf("mails: %w", err)
		}
		happened, out := rows[0].Event.Time, sent[at].Outs[0]
		all = append(all, times{stored: rows[0].Stored.Sub(happened), evaluated: out.Stored.Sub(happened), sending: out.History[0].Time.Sub(happened),
			received: post.Time.Sub(happened), mailed: mail.Time.Sub(happened)})
	}
	return all, nil
}

// theOne returns the message that tells of a run.
func theOne(messages []receiver.Message, id run.ID) (receiver.Message, error) {
	var found []receiver.Message
	for _, m := range messages {
		if slices.Contains(m.Runs(), id) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		return receiver.Message{}, fmt.Errorf("%d tell of run %s", len(found), id)
	}
	return found[0], nil
}

func figureOf(all []times) figure {
	of := func(field func(times) time.Duration) []time.Duration {
		var list []time.Duration
		for _, t := range all {
			list = append(list, field(t))
		}
		slices.Sort(list)
		return list
	}
	received, mailed := of(func(t times) time.Duration { return t.received }), of(func(t times) time.Duration { return t.mailed })
	return figure{
		Runs: len(all), P50: ms(figures.Median(received)), P99: ms(percentile(received, 99)), Max: ms(received[len(received)-1]),
		MailP50: ms(figures.Median(mailed)), MailP99: ms(percentile(mailed, 99)),
		Stages: stages{
			Stored:    ms(figures.Median(of(func(t times) time.Duration { return t.stored }))),
			Evaluated: ms(figures.Median(of(func(t times) time.Duration { return t.evaluated }))),
			Sending:   ms(figures.Median(of(func(t times) time.Duration { return t.sending }))),
			Received:  ms(figures.Median(received)),
		},
	}
}

// percentile is the smallest of the sorted values that p percent of them do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

func ms(d time.Duration) float64 { return figures.Round(float64(d.Microseconds()) / 1000) }
