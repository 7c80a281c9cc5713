"""MiniLM in ONNX Runtime and in PyTorch, as fast as each of them goes.

Texts become tokens by Hugging Face's tokenizers, are sorted by length, and go through the model
in batches of 32, padded to the longest of each; then their tokens' mean has its length set to 1.

ONNX Runtime's fp32 is PyTorch's model exported, as it is and with the fusions of its own tool for
transformers, of which the faster one counts.  Its int8 is made by quantize_dynamic, per channel;
that it computes with integers, and does not only store them, is checked.
"""

import os
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy
import onnx
import onnxruntime
import tokenizers
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

BATCH = 32
MAX_TOKENS = 256
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def tokenizer_of(folder):
    found = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(MAX_TOKENS)
    return found


class Peer:
    def __init__(self, folder):
        self.tokenizer = tokenizer_of(folder)

    def batches(self, texts):
        encodings = self.tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda i: len(encodings[i].ids))
        for begin in range(0, len(order), BATCH):
            part = order[begin:begin + BATCH]
            ids = numpy.zeros((len(part), len(encodings[part[-1]].ids)), dtype=numpy.int64)
            mask = numpy.zeros_like(ids)
            for row, i in enumerate(part):
                ids[row, :len(encodings[i].ids)] = encodings[i].ids
                mask[row, :len(encodings[i].ids)] = 1
            yield part, ids, mask

    def embed(self, texts):
        answers = [None] * len(texts)
        for part, ids, mask in self.batches(texts):
            states = self.states(ids, mask).astype(numpy.float64)
            pooled = (states * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
            pooled /= numpy.linalg.norm(pooled, axis=1)[:, None]
            for i, answer in zip(part, pooled):
                answers[i] = answer
        return numpy.array(answers)


class Torch(Peer):
    def __init__(self, folder, dtype):
        super().__init__(folder)
        self.model = transformers.AutoModel.from_pretrained(folder, dtype=dtype).eval()

    def set_threads(self, n):
        torch.set_num_threads(n)

    def states(self, ids, mask):
        with torch.inference_mode():
            out = self.model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
        return out.last_hidden_state.to(torch.float64 if self.model.dtype == torch.float64
                                        else torch.float32).numpy()


class Onnx(Peer):
    def __init__(self, folder, path):
        super().__init__(folder)
        self.path = path

    def set_threads(self, n):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(self.path, options,
                                                    providers=["CPUExecutionProvider"])
        self.inputs = {it.name for it in self.session.get_inputs()}

    def states(self, ids, mask):
        given = dict(zip(INPUTS, (ids, mask, numpy.zeros_like(ids))))
        return self.session.run(None, {k: v for k, v in given.items() if k in self.inputs})[0]


def exported(folder, path):
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    ids = torch.ones(2, 16, dtype=torch.long)
    shape = {0: torch.export.Dim("batch", max=4096), 1: torch.export.Dim("length", max=512)}
    torch.onnx.export(model, (ids, torch.ones_like(ids), torch.zeros_like(ids)), path,
                      input_names=list(INPUTS), output_names=["states"], opset_version=18,
                      dynamo=True, verbose=False, dynamic_shapes={name: shape for name in INPUTS})


def fused(path, to, config):
    found = optimizer.optimize_model(path, model_type="bert", num_heads=config.num_attention_heads,
                                     hidden_size=config.hidden_size)
    found.save_model_to_file(to)


def counted(path, kind):
    return sum(node.op_type == kind for node in onnx.load(path, load_external_data=False).graph.node)


def make(folder):
    """Peers by precision and name"""
    work = tempfile.mkdtemp(prefix="aiaas-onnx.")
    plain, fast, small = (os.path.join(work, name + ".onnx") for name in ("plain", "fused", "int8"))
    exported(folder, plain)
    peers = {"fp32": {"ONNX Runtime": Onnx(folder, plain), "PyTorch": Torch(folder, torch.float32)},
             "bf16": {"PyTorch": Torch(folder, torch.bfloat16)}, "int8": {}}
    try:
        fused(plain, fast, transformers.AutoConfig.from_pretrained(folder))
        peers["fp32"]["ONNX Runtime, fused"] = Onnx(folder, fast)
    except Exception as error:                      # the tool knows some graphs only
        print(f"ONNX Runtime's tool for transformers failed: {error}", flush=True)
    quantize_dynamic(plain, small, per_channel=True, weight_type=QuantType.QInt8)
    assert counted(small, "MatMulInteger") > 0, "the int8 model computes in fp32"
    peers["int8"]["ONNX Runtime"] = Onnx(folder, small)
    print(f"ONNX Runtime's int8: {counted(small, 'MatMulInteger')} MatMulInteger nodes", flush=True)
    return peers
