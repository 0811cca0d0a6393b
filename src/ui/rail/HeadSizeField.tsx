import { NativeSelect } from '@mantine/core'
import { headSizeMenu } from '../../store/head-sizes'
import { Field } from '../Field'
import { useActions, useApp } from '../use-app'

const AUTOMATIC = ''

/** Channels of an attention head: where blocks of a quantized output begin anew, and what a rotation of heads mixes. */
export function HeadSizeField() {
  const headDim = useApp((state) => state.setup.headDim)
  const { automatic, offered } = useApp((state, { builtIns }) => headSizeMenu(state, builtIns))
  const { setHeadDim } = useActions()
  return (
    <Field
      label="Head size"
      help="Channels of one attention head: blocks of a quantized output begin anew at each, a rotation of heads mixes as many. Automatic: that of a built-in layer; else 128 or 64, or all."
      onReset={() => setHeadDim(null)}
    >
      {(ids) => (
        <NativeSelect
          {...ids}
          size="xs"
          data-test="setting-head-dim"
          value={headDim === null ? AUTOMATIC : String(headDim)}
          onChange={({ currentTarget: { value } }) => setHeadDim(value === AUTOMATIC ? null : Number(value))}
          data={[
            { value: AUTOMATIC, label: automatic === null ? 'automatic' : `automatic, ${automatic} channels` },
            ...offered.map((channels) => ({ value: String(channels), label: `${channels} channels` })),
          ]}
        />
      )}
    </Field>
  )
}
