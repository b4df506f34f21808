#compdef oss-watcher
# Completion of oss-watcher for zsh. Made by: oss-watcher completion zsh
# Nothing that oss-watcher answers is evaluated; zsh quotes what it inserts.
_oss-watcher() {
  local answer
  local -a before candidates others
  (( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
  while IFS= read -r answer; do
    case $answer in
      ($'\t'*) others+=("${answer#$'\t'}") ;;
      (*) candidates+=("$answer") ;;
    esac
  done < <(command oss-watcher complete zsh -- "${before[@]}" "${(Q)PREFIX}" </dev/null 2>/dev/null)
  (( $#candidates )) && _describe -V oss-watcher candidates
  (( $#others )) || return
  [[ $PREFIX == --*=* ]] && compset -P '*='
  case $others[1] in
    (files) _files ;;
    (directories) _files -/ ;;
  esac
}
if [[ ${funcstack[1]} == _oss-watcher ]]; then
  _oss-watcher "$@"
else
  compdef _oss-watcher oss-watcher
fi
