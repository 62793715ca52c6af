module github.com/vitals-go/vitals/bench

go 1.26.0
