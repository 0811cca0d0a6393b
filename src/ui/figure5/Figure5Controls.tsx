import { Button, NativeSelect, SegmentedControl, Switch } from '@mantine/core'
import { useId, useState } from 'react'
import type { ProfileSubject } from '../../experiment/profile-request'
import { profiledTensors } from '../../store/figure5'
import { shapeText } from '../../store/tensor-rows'
import { Field } from '../Field'
import { ChannelField } from '../main/ChannelField'
import { useActions, useApp } from '../use-app'
import styles from './figure5.module.css'

const SUBJECTS: readonly { readonly value: ProfileSubject; readonly label: string }[] = [
  { value: 'activations', label: 'Activations X' },
  { value: 'weight', label: 'Weight W' },
  { value: 'error', label: 'Output error Ŷ − Y' },
  { value: 'tensor', label: 'Another tensor T' },
]

/** Which tensor, at which stage, on which axes: everything that also stands in the link. */
export function Figure5Controls({ channels }: { readonly channels: number | null }) {
  const { subject, stage, axes, order } = useApp((state) => state.figure5.look)
  const { setFigure5, setView } = useActions()
  return (
    <div className={styles.controls}>
      <Field
        label="Tensor"
        half
        help="What is shown: a side of the layer's product, its error, or any matrix of the open files."
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="figure5-subject"
            value={subject}
            data={SUBJECTS.map((each) => ({ ...each }))}
            onChange={({ currentTarget }) =>
              setFigure5({ subject: SUBJECTS.find(({ value }) => value === currentTarget.value)?.value ?? subject })
            }
          />
        )}
      </Field>
      {subject === 'tensor' && <TensorField />}
      <SegmentedControl
        size="xs"
        aria-label="Stage"
        disabled={subject === 'error'}
        value={subject === 'error' ? 'quantized' : stage}
        onChange={(value) => setFigure5({ stage: value === 'quantized' ? 'quantized' : 'transformed' })}
        data={[
          { value: 'transformed', label: <span data-test="figure5-transformed">Transformed</span> },
          { value: 'quantized', label: <span data-test="figure5-quantized">Quantized</span> },
        ]}
      />
      <SegmentedControl
        size="xs"
        aria-label="Order of channels"
        value={order}
        onChange={(value) => setFigure5({ order: value === 'norm' ? 'norm' : 'channel' })}
        data={[
          { value: 'channel', label: <span data-test="figure5-by-channel">Channels</span> },
          { value: 'norm', label: <span data-test="figure5-by-norm">Flatness</span> },
        ]}
      />
      <Switch
        size="xs"
        label="Shared axes"
        data-test="figure5-shared"
        checked={axes === 'shared'}
        onChange={({ currentTarget }) => setFigure5({ axes: currentTarget.checked ? 'shared' : 'own' })}
      />
      <ChannelField hook="figure5-channel" channels={channels} />
      <Running />
      <Button size="compact-xs" variant="default" data-test="figure5-rotation" onClick={() => setView('rotation')}>
        Why does rotation hurt?
      </Button>
    </div>
  )
}

/** Names offered at once: a sharded model has hundreds of thousands. */
const OFFERED = 200

/** A matrix of the open files by its name, which is completed while it is typed. */
function TensorField() {
  const chosen = useApp((state) => state.figure5.look.tensor ?? '')
  const { setFigure5 } = useActions()
  const [text, setText] = useState(chosen)
  const list = useId()
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const offered = useApp((state) =>
    profiledTensors(state)
      .filter(({ tensor }) => words.every((word) => tensor.toLowerCase().includes(word)))
      .slice(0, OFFERED)
      .map(({ tensor, view }) => `${tensor}\n${shapeText(view.shape)}`),
  ).map((each) => each.split('\n'))
  const known = useApp((state) => profiledTensors(state).some(({ tensor }) => tensor === text))
  const type = (typed: string) => {
    setText(typed)
    setFigure5({ tensor: typed === '' ? null : typed })
  }
  return (
    <Field
      label="Name"
      half
      help="Any matrix of the open files. One as wide as the layer's input is put through the transforms; a weight is shown as it is."
      error={
        text !== '' && !known
          ? `No matrix of the open files is called so; ${offered.length} names hold these words.`
          : undefined
      }
    >
      {(ids) => (
        <>
          <input
            {...ids}
            className={styles.name}
            data-test="figure5-tensor"
            list={list}
            value={text}
            placeholder="name of a matrix"
            onChange={({ currentTarget }) => type(currentTarget.value)}
          />
          <datalist id={list}>
            {offered.map(([tensor, shape]) => (
              <option key={tensor} value={tensor} label={shape} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  )
}

/** How far the run of this view is, and how to stop it or to try again. */
function Running() {
  const { current, runId, stopped } = useApp((state) => state.figure5)
  const failed = useApp(({ figure5 }) => Object.values(figure5.profiled).some(({ kind }) => kind === 'failed'))
  const { cancelFigure5, retryFigure5 } = useActions()
  if (runId !== null) {
    return (
      <p className={styles.running} role="status">
        Computing{current === null ? '' : ` ${current}`}
        <Button size="compact-xs" variant="default" data-test="figure5-cancel" onClick={cancelFigure5}>
          Cancel
        </Button>
      </p>
    )
  }
  if (!stopped && !failed) return null
  const error = stopped?.end.kind === 'failed' ? stopped.end.error : null
  return (
    <p className={styles.running} role="alert">
      {error ? `${error.code} ${error.message}` : stopped ? 'Stopped.' : 'A method failed.'}
      <Button size="compact-xs" variant="default" data-test="figure5-retry" onClick={retryFigure5}>
        {stopped?.end.kind === 'cancelled' ? 'Continue' : 'Try again'}
      </Button>
    </p>
  )
}
