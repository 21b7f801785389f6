package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waggle/bench/figures"
	"waggle/shared/cloud/cloudtest"
)

// figure is a line of output. README.md says how to read it.
type figure struct {
	Case           string             `json:"case"`
	Emulator       string             `json:"emulator"`
	WriteUnits     float64            `json:"write_units"`
	AlertUnits     float64            `json:"alert_write_units"`
	ReadUnits      float64            `json:"read_units"`
	Requests       int64              `json:"requests"`
	Blobs          int                `json:"blobs"`
	Events         int                `json:"events"`
	Invocations    map[string]int     `json:"invocations"`
	Bill           bill               `json:"usd_per_1000_runs"`
	ToldUSD        float64            `json:"of_it_to_tell_people"`
	Mails          int                `json:"mails"`
	MailUSD        float64            `json:"mail_usd_per_1000_runs"`
	GBSeconds      float64            `json:"gb_seconds"`
	ComputeUSD     float64            `json:"compute_usd_per_1000_runs"`
	IndexUnits     map[string]float64 `json:"index_write_units"`
	LargestKey     string             `json:"largest_key"`
	LargestPercent float64            `json:"largest_key_pct"`
	SharedKey      string             `json:"shared_key"`
	SharedPercent  float64            `json:"shared_key_pct"`
	Runs           int                `json:"runs"`
	Prices         string             `json:"prices"`
	Verified       bool               `json:"verified"`
}

// cost is what one run took.
type cost struct {
	writes, reads float64
	requests      int64
	blobs         int
	indexes       map[string]float64
	keys          map[key]float64 // write units
	tally         cloudtest.Tally
	scheduled     int // launches by EventBridge Scheduler
	mails         int
	attached      int // bytes of mails' attachments
}

// alerts are the write units of sensors and channels.
func (c cost) alerts() (units float64) {
	for k, n := range c.keys {
		if k.index == "" && (strings.HasPrefix(k.partition, "SENSOR#") || strings.HasPrefix(k.partition, "CHANNEL#")) ||
			k.index == "due" && (k.partition == "sensor" || k.partition == "channel") {
			units += n
		}
	}
	return units
}

// figureOf shows the run of the median write units.
func figureOf(name, emulator string, costs []cost) figure {
	sorted := slices.SortedFunc(slices.Values(costs), func(a, b cost) int { return cmp.Compare(a.writes, b.writes) })
	m := sorted[(len(sorted)-1)/2]
	f := figure{Case: name, Emulator: emulator, WriteUnits: m.writes, AlertUnits: figures.Round(m.alerts()), ReadUnits: m.reads, Requests: m.requests, Blobs: m.blobs,
		Events: m.tally.Events, Invocations: map[string]int{}, Bill: m.bill().cents(), ToldUSD: cents(m.told()), Mails: m.mails, MailUSD: cents(m.mailUSD()),
		GBSeconds: figures.Round(gbSeconds(m.tally)), ComputeUSD: cents(1000 * gbSeconds(m.tally) * lambdaGBs), IndexUnits: m.indexes, Runs: len(costs), Prices: region + " " + priced, Verified: true}
	for name, n := range m.tally.Invocations {
		f.Invocations[name] = n.Count
	}
	f.LargestKey, f.LargestPercent = largest(m.keys, m.writes)
	all, runs, writes := map[key]float64{}, map[key]int{}, 0.0
	for _, c := range costs {
		writes += c.writes
		for k, units := range c.keys {
			all[k] += units
			runs[k]++
		}
	}
	maps.DeleteFunc(all, func(k key, _ float64) bool { return runs[k] < len(costs) })
	f.SharedKey, f.SharedPercent = largest(all, writes)
	return f
}

// cents cuts dollars to hundredths of a cent.
func cents(usd float64) float64 { return float64(int64(usd*1e4+0.5)) / 1e4 }

// largest is the key that took most, and its percentage of all writes.
func largest(keys map[key]float64, writes float64) (string, float64) {
	var top key
	for k, units := range keys {
		if units > keys[top] || units == keys[top] && k.String() < top.String() {
			top = k
		}
	}
	return top.String(), figures.Round(100 * keys[top] / writes)
}
