# Sourced: the packages with tests besides those of specs, by what their tests need. $go is the Go command.
# shellcheck shell=sh disable=SC2034 # who sources it uses them
all=$("$go" list ./reference/... ./harness/... ./suites/architecture ./suites/kit ./suites/selftest ./fixtures/...)
# The cores start no goroutines, which suites/architecture holds. What shares their tables between goroutines runs them
# from the lab.
concurrent='/reference/(cmd|daemon|dataplane|internal|keymat|node|operator|ssh)|/harness/(lab|tester|verdict)|/suites/kit|/suites/selftest'
timed='/harness/(console|container|driver|esphost|peer|router)' # programs that have to answer in time
cores=$(echo "$all" | grep -Ev "$concurrent|$timed")
prompt=$(echo "$all" | grep -E "$timed")
shared=$(echo "$all" | grep -E "$concurrent")
