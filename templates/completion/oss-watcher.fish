# Completion of oss-watcher for fish. Made by: oss-watcher completion fish
# Nothing that oss-watcher answers is evaluated; fish quotes what it inserts.
function __oss_watcher_complete
    set -l before (commandline -opc)
    set -e before[1]
    set -l current (commandline -ct)
    command oss-watcher complete fish -- $before "$current" </dev/null 2>/dev/null | while read -l -d \n answer
        switch $answer
            case \tfiles
                __fish_complete_path "$current"
            case \tdirectories
                __fish_complete_directories "$current"
            case '*'
                printf '%s\n' $answer
        end
    end
end
complete -c oss-watcher -f -k -a '(__oss_watcher_complete)'
