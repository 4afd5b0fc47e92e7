module proxy

go 1.24
