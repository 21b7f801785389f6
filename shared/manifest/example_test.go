package manifest_test

import (
	"fmt"

	"waggle/shared/manifest"
)

func ExampleExpression() {
	for _, cron := range []string{"0 2 * * *", "*/15 9-17 * * 1-5", "0 0 13 * 5"} {
		expression, err := manifest.Expression(cron)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(expression)
	}
	// Output:
	// cron(0 2 * * ? *)
	// cron(0/15 9-17 ? * MON-FRI *)
	// it fires on days of the month and, besides, on days of the week, which EventBridge Scheduler cannot express (make it two schedules)
}
