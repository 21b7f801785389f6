package store

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// The layout of the table. Parts of a key are joined by #, which no name may contain.
//
//	what                             partition            sort
//	request, ownership, summary      RUN#id               META
//	log; of an attempt; note         RUN#id               LOG#n; STEP#step#attempt#n; NOTE#key
//	materialization; check result    ASSET#key#partition  MAT#time#run#seq; CHECK#name#time#run#seq
//	event; switch of a sensor        SENSOR#name          EVENT#run#seq or EVENT##tick#schedule#status; SWITCH#time
//	owner; waits; left; call of step CHANNEL#name         META; OUT#time#run#seq#source#call; MSG#time#id; CALL#run#step#call
//	what a message says              CHANNEL#name         TEXT#id
//
//	index   partition   sort         lists
//	due     0 to 7      time#run id  runs that are not settled
//	due     sensor      time#key     events that are not evaluated
//	due     channel     time#key     channels that are due; messages that no owner has seen, by time#channel#id
//	due     bus, here   time#key     rows that owe an event
//	all     RUN         run id       every run
//	job     job         run id       the runs of a job
//	status  status      run id       runs that ended
//	job_status  job#status  run id   the runs of a job that ended
//
// Times in keys are UTC with six decimals, numbers have eight digits, so that both sort.
const (
	indexDue       = "due"
	indexAll       = "all"
	indexJob       = "job"
	indexStatus    = "status"
	indexJobStatus = "job_status"

	allRuns   = "RUN"
	dueShards = 8
	keyTime   = "2006-01-02T15:04:05.000000Z"
	lastSort  = "\xf4\x8f\xbf\xbf" // the largest character: above every key with this prefix
)

// Indexes names the indexes that the store uses, for drivers that must be told.
func Indexes() []string {
	return []string{indexDue, indexAll, indexJob, indexStatus, indexJobStatus}
}

func runPartition(id run.ID) string { return "RUN#" + string(id) }

func logKey(id run.ID, n int64) driver.Key {
	return driver.Key{Partition: runPartition(id), Sort: chunkSort(logPrefix, n)}
}

const logPrefix = "LOG#"

func chunkSort(prefix string, n int64) string { return fmt.Sprintf("%s%08d", prefix, n) }

func assetPartition(key run.AssetKey, partition string) string {
	return "ASSET#" + string(key) + "#" + partition
}

func eventSort(prefix string, at time.Time, id run.ID, seq int64) string {
	b := make([]byte, 0, len(prefix)+len(keyTime)+len(id)+11)
	b = append(b, prefix...)
	b = at.UTC().AppendFormat(b, keyTime)
	b = append(b, '#')
	b = append(b, id...)
	b = append(b, '#')
	for digits := int64(10_000_000); digits > seq && digits > 1; digits /= 10 {
		b = append(b, '0')
	}
	return string(strconv.AppendInt(b, seq, 10))
}

// parseEventSort reads time, run and sequence from the end of a sort key.
func parseEventSort(sort string) (at time.Time, id run.ID, seq int64, err error) {
	parts := strings.Split(sort, "#")
	if len(parts) < 4 {
		return at, "", 0, fault.New(fault.Corrupt, "sort key %q has no time, run and number", sort)
	}
	parts = parts[len(parts)-3:]
	if at, err = time.Parse(keyTime, parts[0]); err == nil {
		seq, err = strconv.ParseInt(parts[2], 10, 64)
	}
	if err != nil {
		return at, "", 0, fault.New(fault.Corrupt, "sort key %q: %w", sort, err)
	}
	return at, run.ID(parts[1]), seq, nil
}

func dueShard(id run.ID) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return strconv.Itoa(int(h.Sum32() % dueShards))
}
