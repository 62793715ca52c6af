module github.com/vitals-go/vitals/tools

go 1.26.0
