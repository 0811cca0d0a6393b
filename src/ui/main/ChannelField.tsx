import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'

interface ChannelFieldProps {
  readonly hook: string
  /** Channels of what is shown; null while it is not known. */
  readonly channels: number | null
}

/** The pinned channel by its number: what a click in a figure over channels does, by key. */
export function ChannelField({ hook, channels }: ChannelFieldProps) {
  const pinned = useApp((state) => state.highlight.pinnedChannel)
  const { pinChannel } = useActions()
  return (
    <NumberField
      half
      label="Channel"
      help="The channel marked in every figure over channels. Clicking one in a figure marks it, clicking it again takes the mark away."
      value={pinned}
      empty="none"
      min={0}
      max={Math.max(0, (channels ?? Number.MAX_SAFE_INTEGER) - 1)}
      hook={hook}
      onChange={(value) => {
        const toggled = value ?? pinned
        if (toggled !== null && value !== pinned) pinChannel(toggled)
      }}
    />
  )
}
