# shellcheck shell=bash
# Completion of resmgr(1) for bash: the program itself says what could stand at the cursor.

_resmgr() {
  # bash splits words at '=' and ':' (COMP_WORDBREAKS), the program does not.
  local -a words=()
  local rest=${COMP_LINE#*"${COMP_WORDS[0]}"} word i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i == 1)) || [[ $rest == [[:space:]]* ]]; then
      words+=("$word")
    else
      words[-1]+=$word
    fi
    rest=${rest#"${rest%%[![:space:]]*}"}
    rest=${rest#"$word"}
  done
  # What is replaced is the last of the pieces.
  local piece=${COMP_WORDS[COMP_CWORD]}
  [[ $piece == *[!=:]* ]] || piece=''
  local before=${words[-1]%"$piece"}

  local -a lines=()
  mapfile -t lines < <(
    "${COMP_WORDS[0]/#\~\//$HOME/}" __complete -- "${words[@]//[\"\'\\]/}" </dev/null 2>/dev/null)
  COMPREPLY=()
  if [[ ${#lines[@]} -gt 0 && ${lines[-1]} == :files ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  local line
  for line in "${lines[@]}"; do
    [[ $line == :none ]] && continue
    line=${line%%$'\t'*}
    COMPREPLY+=("${line#"$before"}")
  done
}

complete -F _resmgr resmgr
