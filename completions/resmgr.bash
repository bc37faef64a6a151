# shellcheck shell=bash
# Completion of resmgr(1) for bash. Names of services and ids of tasks come from the agent; where it
# is away or slow there are none.

# Asks the agent that the command line so far means, without a word and not for long.
_resmgr_ask() {
  local -a globals=()
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --agent | --token-file | --ca-file)
        # An '=' between the two is a word of its own.
        if [[ ${COMP_WORDS[i + 1]} == = ]]; then
          globals+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 2]}")
        else
          globals+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
        fi
        ;;
    esac
  done
  timeout 1 "${COMP_WORDS[0]}" "${globals[@]}" "$@" </dev/null 2>/dev/null
}

# _resmgr_ids WORD COMMAND…: the last 12 digits of each id that the command prints; and the whole ids
# once something is typed, since all begin alike.
_resmgr_ids() {
  local typed=$1 id
  shift
  while read -r id; do
    printf '%s\n' "${id##*-}"
    [[ -z $typed ]] || printf '%s\n' "$id"
  done < <(_resmgr_ask "$@" --quiet)
}

_resmgr() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
  local -A options=(
    [start]='--user --if-not-running --no-wait --timeout --quiet --idempotency-key'
    [stop]='--all --user --service --quiet'
    [list]='--all --user --service --status --since --limit --quiet --watch'
    [show]=''
    [logs]='--follow --tail --since'
    [extend]='--by'
    [why]=''
    [services]='--quiet'
    [status]=''
    [doctor]=''
    [images]=''
    [usage]='--by --since --task --until --user -u'
    [sync]=''
    [reconcile]='--dry-run'
    [drain]='--reason'
    [resume]=''
    [events]='--since --follow'
    [token]='--user --role --admin --expires --key-file --agent-config'
    [version]=''
  )
  options[ls]=${options[list]}
  local global='--agent --token-file --ca-file --output --help'
  COMPREPLY=()

  case $prev in
    --output | -o)
      mapfile -t COMPREPLY < <(compgen -W 'table tsv json csv' -- "$cur")
      return
      ;;
    --status)
      mapfile -t COMPREPLY < <(
        compgen -W 'Starting Running Stopping Stopped Error active' -- "$cur")
      return
      ;;
    --service | -s)
      mapfile -t COMPREPLY < <(compgen -W "$(_resmgr_ask services --quiet)" -- "$cur")
      return
      ;;
    --task)
      mapfile -t COMPREPLY < <(compgen -W "$(_resmgr_ids "$cur" list --all --limit 100)" -- "$cur")
      return
      ;;
    --agent | --token-file | --ca-file | --key-file | --agent-config)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --user | -u | --timeout | --idempotency-key | --since | --limit | -n | --tail | --role | \
      --expires | --reason | --by)
      return
      ;;
  esac

  local command='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --agent | --token-file | --ca-file | --output | -o)
        [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
        ((i++))
        ;;
      -*) ;;
      *)
        command=$word
        break
        ;;
    esac
  done

  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${!options[*]} $global --version" -- "$cur")
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${options[$command]-} $global" -- "$cur")
  else
    case $command in
      start) mapfile -t COMPREPLY < <(compgen -W "$(_resmgr_ask services --quiet)" -- "$cur") ;;
      usage)
        if [[ $prev == usage ]]; then
          mapfile -t COMPREPLY < <(compgen -W 'verify export' -- "$cur")
        else
          mapfile -t COMPREPLY < <(
            compgen -W "$(_resmgr_ids "$cur" list --all --limit 100)" -- "$cur")
        fi
        ;;
      sync)
        case $prev in
          sync) mapfile -t COMPREPLY < <(compgen -W 'now retry show-dead' -- "$cur") ;;
          now | retry | show-dead)
            mapfile -t COMPREPLY < <(compgen -W 'postgres seq blockchain' -- "$cur")
            ;;
        esac
        ;;
      stop | extend | why)
        mapfile -t COMPREPLY < <(compgen -W "$(_resmgr_ids "$cur" list)" -- "$cur")
        ;;
      show | logs)
        mapfile -t COMPREPLY < <(
          compgen -W "$(_resmgr_ids "$cur" list --all --limit 100)" -- "$cur")
        ;;
    esac
  fi
}

complete -F _resmgr resmgr
