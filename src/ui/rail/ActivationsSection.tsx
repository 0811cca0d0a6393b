import { NativeSelect, SegmentedControl, Slider, Tooltip } from '@mantine/core'
import { SOFTWARE_TOKENS } from '../../store/result-keys'
import { automaticActivations, captureCandidates, missingActivations, visibleFiles } from '../../store/selection'
import { isTokenCapped, layerFacts } from '../../store/selectors'
import { shapeText } from '../../store/tensor-rows'
import { MIN_ROWS } from '../../store/url'
import { MAX_HELD_OUT } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import styles from './ActivationsSection.module.css'
import rail from './Rail.module.css'
import { SyntheticFields } from './SyntheticFields'

/** ACTIVATIONS: where X comes from and how its rows are split. */
export function ActivationsSection() {
  const kind = useApp((state) => state.source.activations.kind)
  const hasWeight = useApp((state) => state.source.weight !== null)
  const missing = useApp((state) => missingActivations(visibleFiles(state.source), state.source.weight))
  return (
    <section aria-labelledby="activations-heading">
      <div className={rail.row}>
        <h2 id="activations-heading">Activations</h2>
        <SourceSwitch canCapture={hasWeight && missing === null} />
      </div>
      {missing !== null && <p className={styles.note}>{missing} Synthetic activations are used.</p>}
      {hasWeight && (kind === 'captured' ? <CapturedFields /> : <SyntheticFields />)}
      <HeldOut />
    </section>
  )
}

function SourceSwitch({ canCapture }: { readonly canCapture: boolean }) {
  const kind = useApp((state) => state.source.activations.kind)
  const automatic = useApp((state) => automaticActivations(visibleFiles(state.source), state.source.weight))
  const { chooseActivations } = useActions()
  return (
    <Tooltip
      label="A tensor captured from a model, or a seeded generator for a file that holds weights only."
      position="bottom"
    >
      <SegmentedControl
        size="xs"
        aria-label="Source of the activations"
        value={kind}
        onChange={(value) => chooseActivations(value === 'captured' ? automatic : { kind: 'synthetic' })}
        data={[
          { value: 'captured', label: <span data-test="source-file">Captured</span>, disabled: !canCapture },
          { value: 'synthetic', label: <span data-test="source-synthetic">Synthetic</span> },
        ]}
      />
    </Tooltip>
  )
}

function CapturedFields() {
  const candidates = useApp((state) => captureCandidates(visibleFiles(state.source), state.source.weight))
  const chosen = useApp(({ source: { activations } }) => activations)
  const several = useApp((state) => visibleFiles(state.source).length > 1)
  const tokens = useApp((state) => state.source.tokens)
  const capped = useApp(isTokenCapped)
  const { chooseActivations, setTokens } = useActions()
  const at = candidates.findIndex(
    ({ fileId, tensor }) => chosen.kind === 'captured' && chosen.fileId === fileId && chosen.tensor === tensor,
  )
  const available = candidates[at]?.view.shape.slice(0, -1).reduce((product, size) => product * size, 1) ?? 1
  return (
    <>
      <Field label="Tensor" help="The tensor that feeds the weight: its last axis has the weight's input dimension.">
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
      <NumberField
        label="Rows used"
        help="First this many tokens of the tensor. Fewer rows need less memory and time."
        unit="tokens"
        value={tokens === null ? null : Math.min(tokens, available)}
        min={MIN_ROWS}
        max={available}
        empty={
          capped ? `${Math.min(SOFTWARE_TOKENS, available)}, software GPU` : `all ${available.toLocaleString('en-US')}`
        }
        hook="source-tokens"
        onChange={setTokens}
      />
    </>
  )
}

function HeldOut() {
  const share = useApp((state) => state.source.heldOutShare)
  const facts = useApp(layerFacts)
  const { setHeldOutShare } = useActions()
  const help =
    'Share of the rows that methods never see; errors are measured on them. 0 % measures on the calibration rows.'
  return (
    <>
      <Field label="Held-out rows" help={help} unit={`${Math.round(share * 100)} %`}>
        {({ id, ...described }) => (
          <Slider
            {...described}
            size="sm"
            data-test="source-held-out"
            thumbLabel="Held-out rows, percent"
            aria-labelledby={`${id}-label`}
            min={0}
            max={MAX_HELD_OUT * 100}
            step={5}
            label={null}
            value={Math.round(share * 100)}
            onChange={(value) => setHeldOutShare(value / 100)}
          />
        )}
      </Field>
      {facts && (
        <p className={styles.note}>
          {facts.sameRows
            ? `Calibration and evaluation on the same ${facts.evaluationTokens} tokens.`
            : `${facts.calibrationTokens} tokens calibrate, ${facts.evaluationTokens} others evaluate.`}
        </p>
      )}
    </>
  )
}
