package dynamodriver

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/store/driver"
)

func Pause(attempt int) time.Duration { return pause(attempt) }

func FitsNumber(number string) bool { return fitsNumber(number) }

func EncodeData(item *driver.Item) types.AttributeValue { return encodeData(item) }

func DecodeData(a types.AttributeValue) ([]byte, bool) { return decodeData(a) }

// At gives the driver's machine another clock, which answers may correct.
func (d *Driver) At(local func() time.Time) { d.clock.local = local }
