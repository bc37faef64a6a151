# Completion of resmgr(1) for fish: the program itself says what could stand at the cursor.

function __resmgr_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l program $typed[1]
    set -e typed[1]
    set -l lines ($program __complete -- $typed $word </dev/null 2>/dev/null)
    if test "$lines[-1]" = :files
        # Behind the '=' of an option there is a name, too.
        set -l option (string match -r '^--[^=]+=' -- $word; or echo)
        for path in (__fish_complete_path (string replace -- "$option" '' $word))
            echo -- $option$path
        end
        return
    end
    string match -v -- :none $lines
end

complete -c resmgr -f -a '(__resmgr_complete)'
