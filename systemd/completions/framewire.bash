# Completions of framewire for bash.

_framewire() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=run i
    local commands="run demo check devices doctor sdp prepare password help"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ " $commands " == *" ${COMP_WORDS[i]} "* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done

    case $before in
        --config | --save)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --state | --root)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return
            ;;
        --device)
            mapfile -t COMPREPLY < <(compgen -W "auto demo $(compgen -G '/dev/video*')" -- "$word")
            return
            ;;
        --to | --size | --fps | --http | --frames | --timeout | --interval) return ;;
    esac

    if [[ $word != -* ]]; then
        if ((i == COMP_CWORD)); then
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
        elif [[ $command == run || $command == check ]]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        elif [[ $command == doctor ]]; then
            mapfile -t COMPREPLY < <(compgen -W "auto demo $(compgen -G '/dev/video*')" -- "$word")
        elif [[ $command == help ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
        fi
        return
    fi
    local options="--help --version"
    case $command in
        run) options+=" --config --device --to --size --fps --http --rtsp --frames --timeout --interval --json" ;;
        demo) options+=" --to --http --no-http --rtsp --no-rtsp --frames --timeout --interval --json" ;;
        check | sdp) options+=" --config" ;;
        devices) options+=" --json" ;;
        doctor) options+=" --size --fps --frames --save --json" ;;
        prepare) options+=" --config --state --root" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _framewire framewire
