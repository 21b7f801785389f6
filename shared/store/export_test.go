package store

// Keys for their property tests.
var (
	EventSort      = eventSort
	ParseEventSort = parseEventSort
	LogKey         = logKey
	DueShard       = dueShard
	ShardName      = shardName
)

// Shards is the number of shards of the index of what is due.
const Shards = dueShards
