package dynamodriver

import (
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Usage is what a driver has cost so far. Units are DynamoDB's, of the table and its indexes together, as the answers say
// them: a write whose condition failed, or whose answer was lost, is charged and not counted.
type Usage struct {
	Requests   int64   // tries included
	WriteUnits float64 // 1 KB of one write; of an atomic write, twice that
	ReadUnits  float64 // 4 KB of a consistent read, 8 KB of an index
	// IndexWriteUnits are those of WriteUnits that went to each index.
	IndexWriteUnits map[string]float64
}

// Usage returns what the driver has cost since it was opened.
func (d *Driver) Usage() Usage { return d.usage.sum() }

type usage struct {
	mu  sync.Mutex
	now Usage
}

func (u *usage) sum() Usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	sum := u.now
	sum.IndexWriteUnits = maps.Clone(sum.IndexWriteUnits)
	return sum
}

func (u *usage) request() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now.Requests++
}

func (u *usage) read(c *types.ConsumedCapacity) {
	if c == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now.ReadUnits += aws.ToFloat64(c.CapacityUnits)
}

// wrote counts writes. A repeated transaction that was recognized by its token is charged as a read.
func (u *usage) wrote(list ...types.ConsumedCapacity) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range list {
		if c.ReadCapacityUnits != nil || c.WriteCapacityUnits != nil {
			u.now.ReadUnits += aws.ToFloat64(c.ReadCapacityUnits)
			u.now.WriteUnits += aws.ToFloat64(c.WriteCapacityUnits)
		} else {
			u.now.WriteUnits += aws.ToFloat64(c.CapacityUnits)
		}
		for name, index := range c.GlobalSecondaryIndexes {
			if u.now.IndexWriteUnits == nil {
				u.now.IndexWriteUnits = map[string]float64{}
			}
			units := index.CapacityUnits
			if index.WriteCapacityUnits != nil {
				units = index.WriteCapacityUnits
			}
			u.now.IndexWriteUnits[name] += aws.ToFloat64(units)
		}
	}
}
