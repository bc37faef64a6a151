# Completion of resmgr(1) for fish. Names of services and ids of tasks come from the agent; where it is
# away or slow there are none.

# Asks the agent that the command line so far means, without a word and not for long.
function __resmgr_ask
    set -l typed (commandline -opc)
    set -l globals
    for i in (seq 2 (count $typed))
        switch $typed[$i]
            case --agent --token-file --ca-file
                set -l next (math $i + 1)
                test $next -le (count $typed); and set -a globals $typed[$i] $typed[$next]
            case '--agent=*' '--token-file=*' '--ca-file=*'
                set -a globals $typed[$i]
        end
    end
    timeout 1 $typed[1] $globals $argv </dev/null 2>/dev/null
end

function __resmgr_services
    __resmgr_ask services --output tsv | awk -F '\t' '{ print $1 "\t" $2 }'
end

# The last 12 digits of each id, with what it is.
function __resmgr_tasks
    __resmgr_ask list --output tsv $argv | awk -F '\t' '{ sub(/.*-/, "", $1); print $1 "\t" $3 ", " $2 }'
end

set -l commands start stop list ls show logs extend why services status doctor images usage sync \
    reconcile drain resume events token version
set -l before "not __fish_seen_subcommand_from $commands"

complete -c resmgr -f
complete -c resmgr -l agent -r -F -d 'Agent to ask: URL or socket'
complete -c resmgr -l token-file -r -F -d 'File that holds the token'
complete -c resmgr -l ca-file -r -F -d 'Authorities to trust for https'
complete -c resmgr -s o -l output -x -a 'table tsv json csv' -d 'Form of the output'
complete -c resmgr -s h -l help -d 'Print help'
complete -c resmgr -n $before -l version -d 'Print the version'

complete -c resmgr -n $before -a start -d 'Start a service, and wait until it is ready'
complete -c resmgr -n $before -a stop -d 'Stop tasks and remove their containers'
complete -c resmgr -n $before -a 'list ls' -d 'List tasks'
complete -c resmgr -n $before -a show -d 'Show a task, its URL and its history'
complete -c resmgr -n $before -a logs -d 'Print what a service wrote'
complete -c resmgr -n $before -a extend -d 'Put off when tasks are stopped for idleness or age'
complete -c resmgr -n $before -a why -d 'Show why a task goes on, and when it will be stopped'
complete -c resmgr -n $before -a services -d 'List the services one can start'
complete -c resmgr -n $before -a status -d 'Show how the agent does'
complete -c resmgr -n $before -a doctor -d 'Look for what is wrong, and say how to mend it'
complete -c resmgr -n $before -a images -d 'List, pull or build the images of the services'
complete -c resmgr -n $before -a usage -d 'Sum up what was used; verify and export its records'
complete -c resmgr -n $before -a sync -d 'Ask for what is to go to PostgreSQL and others'
complete -c resmgr -n $before -a reconcile -d 'Compare journal and engine, and bring them together'
complete -c resmgr -n $before -a drain -d 'Refuse starts, and show what is left'
complete -c resmgr -n $before -a resume -d 'Accept starts again'
complete -c resmgr -n $before -a events -d 'Print what happened to tasks'
complete -c resmgr -n $before -a token -d 'Make a token for development'
complete -c resmgr -n $before -a version -d 'Print the version'

set -l start '__fish_seen_subcommand_from start'
complete -c resmgr -n $start -a '(__resmgr_services)'
complete -c resmgr -n $start -s u -l user -x -d 'For this user'
complete -c resmgr -n $start -l if-not-running -d 'Answer an active task of it, if any'
complete -c resmgr -n $start -l no-wait -d 'Do not wait until it is ready'
complete -c resmgr -n $start -l timeout -x -d 'Stop it if it is not ready by then'
complete -c resmgr -n $start -s q -l quiet -d 'Print the id only'
complete -c resmgr -n $start -l idempotency-key -x -d 'Start one task however often repeated'

set -l stop '__fish_seen_subcommand_from stop'
complete -c resmgr -n $stop -a '(__resmgr_tasks)'
complete -c resmgr -n $stop -s a -l all -d 'All active tasks'
complete -c resmgr -n $stop -s u -l user -x -d 'Tasks of this user'
complete -c resmgr -n $stop -s s -l service -x -a '(__resmgr_services)' -d 'Tasks of this service'
complete -c resmgr -n $stop -s q -l quiet -d 'Print failures only'

set -l list '__fish_seen_subcommand_from list ls'
complete -c resmgr -n $list -s a -l all -d 'Ended tasks too'
complete -c resmgr -n $list -s u -l user -x -d 'Tasks of this user'
complete -c resmgr -n $list -s s -l service -x -a '(__resmgr_services)' -d 'Tasks of this service'
complete -c resmgr -n $list -l status -x -a 'Starting Running Stopping Stopped Error active' \
    -d 'Tasks in this status'
complete -c resmgr -n $list -l since -x -d 'Tasks requested since'
complete -c resmgr -n $list -s n -l limit -x -d 'Only the newest'
complete -c resmgr -n $list -s q -l quiet -d 'Ids only'
complete -c resmgr -n $list -s w -l watch -d 'Follow changes'

complete -c resmgr -n '__fish_seen_subcommand_from show logs' \
    -a '(__resmgr_tasks --all --limit 100)'
set -l logs '__fish_seen_subcommand_from logs'
complete -c resmgr -n $logs -s f -l follow -d 'Go on until the task ends'
complete -c resmgr -n $logs -l tail -x -d 'Only the last lines'
complete -c resmgr -n $logs -l since -x -d 'Only since'

complete -c resmgr -n '__fish_seen_subcommand_from extend why' -a '(__resmgr_tasks)'
complete -c resmgr -n '__fish_seen_subcommand_from extend' -l by -x -d 'By how much'

complete -c resmgr -n '__fish_seen_subcommand_from services' -s q -l quiet -d 'Names only'

set -l usage '__fish_seen_subcommand_from usage'
set -l action '__fish_seen_subcommand_from verify export'
complete -c resmgr -n "$usage; and not $action" -a 'verify export'
complete -c resmgr -n "$usage; and $action" -a '(__resmgr_tasks --all --limit 100)'
complete -c resmgr -n $usage -l by -x -a 'user service day host' -d 'Sum up by'
complete -c resmgr -n $usage -s u -l user -x -d 'Only what this user used'
complete -c resmgr -n $usage -l since -x -d 'From then on'
complete -c resmgr -n $usage -l until -x -d 'Up to then'
complete -c resmgr -n $usage -l task -x -a '(__resmgr_tasks --all --limit 100)' \
    -d 'One of the tasks'
set -l sync '__fish_seen_subcommand_from sync'
set -l action '__fish_seen_subcommand_from now retry show-dead'
complete -c resmgr -n "$sync; and not $action" -a 'now retry show-dead'
complete -c resmgr -n "$sync; and $action" -a 'postgres seq blockchain'
complete -c resmgr -n '__fish_seen_subcommand_from reconcile' -l dry-run -d 'Do nothing'
complete -c resmgr -n '__fish_seen_subcommand_from drain' -l reason -x \
    -d 'Told to those who are refused'

set -l events '__fish_seen_subcommand_from events'
complete -c resmgr -n $events -l since -x -d 'After this sequence number'
complete -c resmgr -n $events -s f -l follow -d 'Go on with what happens'

set -l token '__fish_seen_subcommand_from token'
complete -c resmgr -n $token -s u -l user -x -d 'Its user'
complete -c resmgr -n $token -l role -x -d 'A role it has'
complete -c resmgr -n $token -l admin -d 'The admin role'
complete -c resmgr -n $token -l expires -x -d 'How long it is valid'
complete -c resmgr -n $token -l key-file -r -F -d 'Sign with this key'
complete -c resmgr -n $token -l agent-config -r -F -d "The agent's configuration"
