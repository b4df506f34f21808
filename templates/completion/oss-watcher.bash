# Completion of oss-watcher for bash. Made by: oss-watcher completion bash
# Nothing that oss-watcher answers is evaluated; it quotes what bash would read.
_oss_watcher() {
  local answer
  COMPREPLY=()
  while IFS= read -r answer; do
    case $answer in
      $'\tfiles') type compopt &>/dev/null && compopt -o default ;;
      $'\tdirectories') type compopt &>/dev/null && compopt -o dirnames ;;
      *) COMPREPLY+=("$answer") ;;
    esac
  done < <(command oss-watcher complete bash -- "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" </dev/null 2>/dev/null)
}
# Before bash 4.4 there is no nosort.
complete -o nosort -F _oss_watcher oss-watcher 2>/dev/null || complete -F _oss_watcher oss-watcher
