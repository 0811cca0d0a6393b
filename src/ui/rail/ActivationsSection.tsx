import { NativeSelect, SegmentedControl, Tooltip } from '@mantine/core'
import { MAX_HELD_OUT_SHARE } from '../../experiment/split-rows'
import { SOFTWARE_TOKENS } from '../../store/result-keys'
import { rowSplit } from '../../store/row-range'
import {
  automaticActivations,
  captureCandidates,
  gainOf,
  missingActivations,
  visibleFiles,
} from '../../store/selection'
import { isTokenCapped } from '../../store/selectors'
import type { ActivationSource } from '../../store/state'
import { shapeText } from '../../store/tensor-rows'
import { MIN_ROWS } from '../../store/url'
import { DEFAULT_HELD_OUT } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import styles from './ActivationsSection.module.css'
import { RailSection } from './RailSection'
import { RowRangeField } from './RowRangeField'
import { SyntheticFields } from './SyntheticFields'

/** ACTIVATIONS: where X comes from and how its rows are split. */
export function ActivationsSection() {
  const kind = useApp((state) => state.source.activations.kind)
  const hasWeight = useApp((state) => state.source.weight !== null)
  const missing = useApp((state) => missingActivations(visibleFiles(state.source), state.source.weight))
  const gain = useApp((state) => gainOf(visibleFiles(state.source), state.source.weight))
  return (
    <RailSection id="activations" title="Activations">
      {hasWeight && <SourceSwitch canCapture={missing === null} hasGain={gain !== null} />}
      {missing !== null && <p className={styles.note}>{missing}</p>}
      {hasWeight && (kind === 'captured' ? <CapturedFields /> : <SyntheticFields />)}
      <HeldOut />
    </RailSection>
  )
}

const SOURCES: readonly { readonly kind: ActivationSource['kind']; readonly label: string; readonly hook: string }[] = [
  { kind: 'captured', label: 'Captured', hook: 'source-file' },
  { kind: 'norm', label: 'From norm', hook: 'source-norm' },
  { kind: 'synthetic', label: 'Synthetic', hook: 'source-synthetic' },
]

function SourceSwitch({ canCapture, hasGain }: { readonly canCapture: boolean; readonly hasGain: boolean }) {
  const kind = useApp((state) => state.source.activations.kind)
  const automatic = useApp((state) => automaticActivations(visibleFiles(state.source), state.source.weight))
  const { chooseActivations } = useActions()
  const choose = (value: string) => {
    if (value === 'captured') chooseActivations(automatic)
    else chooseActivations({ kind: value === 'norm' ? 'norm' : 'synthetic' })
  }
  const lacks = { captured: !canCapture, norm: !hasGain, synthetic: false }
  return (
    <Tooltip
      label="Captured: a tensor recorded from a model. From norm: seeded rows times the gain of the norm before the weight, where its file has it. Synthetic: seeded rows alone."
      position="right"
    >
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label="Source of the activations"
        value={kind}
        onChange={choose}
        data={SOURCES.map(({ kind: value, label, hook }) => ({
          value,
          label: <span data-test={hook}>{label}</span>,
          disabled: lacks[value],
        }))}
      />
    </Tooltip>
  )
}

function CapturedFields() {
  const candidates = useApp((state) => captureCandidates(visibleFiles(state.source), state.source.weight))
  const chosen = useApp(({ source: { activations } }) => activations)
  const several = useApp((state) => visibleFiles(state.source).length > 1)
  const { chooseActivations } = useActions()
  const at = candidates.findIndex(
    ({ fileId, tensor }) => chosen.kind === 'captured' && chosen.fileId === fileId && chosen.tensor === tensor,
  )
  return (
    <>
      <Field
        label="Tensor"
        help="The tensor that feeds the weight: its last axis has the weight's input dimension."
        topics={['activations.captured', 'activations', 'layer']}
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="source-tensor"
            value={String(at)}
            onChange={({ currentTarget }) => {
              const next = candidates[Number(currentTarget.value)]
              if (next) chooseActivations({ kind: 'captured', fileId: next.fileId, tensor: next.tensor })
            }}
          >
            {candidates.map(({ fileId, fileName, tensor, view }, i) => (
              <option key={`${fileId} ${tensor}`} value={i}>
                {tensor} ({shapeText(view.shape)}){several ? ` in ${fileName}` : ''}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <CapturedRows />
    </>
  )
}

/** The rows as numbers; the bar below shows and moves the same. */
function CapturedRows() {
  const rows = useApp(rowSplit)
  const tokens = useApp((state) => state.source.tokens)
  const capped = useApp(isTokenCapped)
  const { setRows } = useActions()
  if (rows === null) return null
  const { total, start, end } = rows
  const rest = total - start
  return (
    <>
      <NumberField
        label="First row"
        help="Rows of the tensor before this one are left out: the start of a text is often unlike the rest."
        unit={`of ${total.toLocaleString('en-US')}`}
        value={start}
        min={0}
        max={total - MIN_ROWS}
        hook="source-first"
        onReset={() => setRows({ firstToken: 0 })}
        onChange={(firstToken) => firstToken !== null && setRows({ firstToken })}
      />
      <NumberField
        label="Rows used"
        help="So many tokens from the first row on. Fewer rows need less memory and time."
        unit="tokens"
        value={tokens === null ? null : end - start}
        min={MIN_ROWS}
        max={rest}
        empty={capped ? `${Math.min(SOFTWARE_TOKENS, rest)}, software GPU` : `all ${rest.toLocaleString('en-US')}`}
        hook="source-tokens"
        onReset={() => setRows({ tokens: null })}
        onChange={(used) => setRows({ tokens: used })}
      />
    </>
  )
}

function HeldOut() {
  const share = useApp((state) => state.source.heldOutShare)
  const { setHeldOutShare } = useActions()
  return (
    <>
      <NumberField
        label="Held-out rows"
        help="Share of the rows that methods never see; errors are measured on them. 0 % measures on the calibration rows."
        topics={['held-out', 'rows']}
        unit="%"
        value={Number((100 * share).toFixed(2))}
        min={0}
        max={100 * MAX_HELD_OUT_SHARE}
        integer={false}
        step={5}
        hook="source-held-out"
        onReset={() => setHeldOutShare(DEFAULT_HELD_OUT)}
        onChange={(percent) => percent !== null && setHeldOutShare(percent / 100)}
      />
      <RowRangeField />
    </>
  )
}
