module github.com/vitals-go/vitals/examples

go 1.26.0
