module waggle

go 1.26
